"""Migrations of the timers."""
