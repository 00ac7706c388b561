"""The journal and the mirror in one SQLite file."""
