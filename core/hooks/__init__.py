"""core/hooks."""
