"""The error that the command prints as one line, without a traceback."""


class Failure(Exception):
    """Something that a person can act on; the command prints its message alone."""
