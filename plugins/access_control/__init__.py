"""Access control: who may do what, by privilege and by context."""
