"""What people see in a browser: pages, link previews, and the files they load."""
