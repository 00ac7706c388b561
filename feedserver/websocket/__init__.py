"""The lean server under the readers: HTTP/1.1, handshakes, frames."""
