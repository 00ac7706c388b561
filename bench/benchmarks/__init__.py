"""One module each; `run(options)` answers a report."""
