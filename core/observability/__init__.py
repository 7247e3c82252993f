"""What those who run a server see of it: log lines, without secrets, and numbers."""
