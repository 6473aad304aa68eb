"""What the command tells a person instead of a traceback."""


class Failure(Exception):
    """Something that a person can act on; its message is all they see."""
