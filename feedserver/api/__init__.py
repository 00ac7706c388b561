"""The JSON doors: what editors send, and what readers ask for."""
