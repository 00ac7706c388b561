"""Completion in a shell, for both programs: what a Tab offers, and how a shell learns to ask."""
