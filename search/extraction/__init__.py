"""Which values a resource has, and the rows that they become."""
