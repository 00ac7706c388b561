"""`feedserver feed reopen`: go on with a closed feed."""

from feedserver.commands.feed_close import closing

COMMAND = closing(closed=False, done="reopened", example="feedserver feed reopen world")
