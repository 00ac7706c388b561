"""A live news feed: one process, one SQLite file, every reader a cursor."""

__version__ = "0.1.0"
