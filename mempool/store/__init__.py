"""The SQLite database: its schema, its one writer, and what reads it."""
