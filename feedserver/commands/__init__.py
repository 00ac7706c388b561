"""The commands of `feedserver`."""
