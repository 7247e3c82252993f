"""What reports may know of the resources of this area, beyond plain R4."""
