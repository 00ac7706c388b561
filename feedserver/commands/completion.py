"""`feedserver completion`: what makes a shell complete the words of the command."""

from feedserver.commands.program import PROGRAM
from publisher.completion.command import completion_command

COMMAND = completion_command(PROGRAM)
