"""core/rest."""
