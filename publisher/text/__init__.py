"""What an editor typed, and how it is kept until the server has it."""
