"""Migrations of what is kept of subscriptions beside their resources."""
