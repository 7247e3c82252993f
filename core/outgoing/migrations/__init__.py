"""Migrations of what is to be sent."""
