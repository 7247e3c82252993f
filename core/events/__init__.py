"""core/events."""
