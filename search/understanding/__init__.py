"""What a query means: parameters as sent become the tree of ``fyr.search.tree``."""
