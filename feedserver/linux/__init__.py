"""One frame to many sockets in one system call, where the kernel is Linux."""
