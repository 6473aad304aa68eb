"""The error that the command shows to a person without a traceback."""


class Failure(Exception):
    """Something that a person can act on; the command prints its message alone."""
