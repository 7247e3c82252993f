"""The database port, SQLite and PostgreSQL behind it: versions, index rows, migrations."""
