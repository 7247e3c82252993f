"""Migrations of the Key Value Store's tables."""
