"""The search parameters of this area's services beyond those of R4."""
