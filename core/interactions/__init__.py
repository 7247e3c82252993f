"""core/interactions."""
