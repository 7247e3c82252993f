"""Whether one resource meets criteria, told without asking the database."""
