"""HTTP and WebSocket: the doors that readers and editors come through."""
