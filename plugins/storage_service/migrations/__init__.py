"""Migrations of the table of contents."""
