"""The errors of single photos in a run. The name of the class is the code in the photo's report."""


class PhotoProblem(Exception):
    """A problem with one photo. The run goes on with the others."""


class PhotoUnreadable(PhotoProblem):
    """The photo cannot be read: a link leads nowhere, or there is no permission."""


class PhotoChanged(PhotoProblem):
    """The photo was changed while it was read. The next run reads it again."""


class ResultExists(PhotoProblem):
    """The place of the result has a file that no earlier run has stored."""


class ResultNotStored(PhotoProblem):
    """The result cannot be written: its name is too long, or its folder does not allow it."""
