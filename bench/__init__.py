"""What the figures in docs/performance.md come from: `python -m bench fan_out`, and the like."""
