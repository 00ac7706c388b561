"""From the journal to the readers: each feed's window, its messages, and the fan-out to readers."""
