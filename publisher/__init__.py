"""The editor's command line: post to a live news feed and keep correcting it."""
