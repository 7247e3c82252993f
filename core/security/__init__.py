"""core/security."""
