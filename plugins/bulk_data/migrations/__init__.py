"""Migrations of the list of exports and imports."""
