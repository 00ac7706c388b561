"""What the server tells others by itself, behind each publication and never in front of it."""
