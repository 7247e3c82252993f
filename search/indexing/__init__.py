"""Search parameters that are stored, and the jobs that bring the index up to them."""
