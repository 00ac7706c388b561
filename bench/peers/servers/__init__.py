"""The peers' own programs.

Each prints "ready PORT", sends every line of stdin to all its readers as one text message, answers
"sent N", and ends with its stdin. An argument names a file with a greeting for new readers.
"""
