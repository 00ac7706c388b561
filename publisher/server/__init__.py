"""How the command reaches the server, and follows it."""
