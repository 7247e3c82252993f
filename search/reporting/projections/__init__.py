"""Projections of R4 as it is: what reports may know of resources."""
