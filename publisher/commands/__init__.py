"""The commands of `publisher`, a module for each verb, and the table of them in `program`."""
