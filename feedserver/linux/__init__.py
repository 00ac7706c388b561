"""Send one frame to many sockets with one system call, on Linux."""
