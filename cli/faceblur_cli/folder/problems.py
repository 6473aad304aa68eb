"""Why one photo of many has no result, told in its own line. The class's name is the code in the report."""


class PhotoProblem(Exception):
    """Something about one photo; the others go on."""


class PhotoUnreadable(PhotoProblem):
    """The photo cannot be read on this machine: a link that leads nowhere, or no permission."""


class PhotoChanged(PhotoProblem):
    """The photo was written to while it was read. The next run reads it again."""


class ResultExists(PhotoProblem):
    """Where the result belongs is a file that no earlier run has stored there."""


class ResultNotStored(PhotoProblem):
    """The result cannot be written: its name is too long, or its folder does not allow it."""
