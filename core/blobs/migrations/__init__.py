"""Migrations of the tables of blobs."""
