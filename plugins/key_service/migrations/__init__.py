"""Migrations of the Key Service's tables."""
