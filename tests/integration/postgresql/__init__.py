"""The store in PostgreSQL, tried by the cases that SQLite is tried by."""
