"""Processes: a supervisor that keeps HTTP workers and an event worker running."""
