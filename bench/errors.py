"""What makes a run an error instead of a figure."""


class BenchError(Exception):
    """A set-up or a batch that would give a wrong figure. The text says what to do."""


class Ended(Exception):
    """The bench was told to stop, or has had its time."""
