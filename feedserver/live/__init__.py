"""From the journal to the readers: one feed's window, its messages, its rounds."""
