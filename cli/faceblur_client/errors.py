"""The errors of the client.

    FaceblurError
    ├── JobFailed           this photo or this job failed; others may succeed
    └── CallFailed          every photo would fail in the same way
        ├── InvalidOptions
        ├── NotSignedIn
        ├── BudgetSpent
        ├── Unavailable
        ├── WrongAddress
        └── Stopped

Each carries a `code` for programs and a sentence for people that says what to do. None contains a link to a photo.
"""


class FaceblurError(Exception):
    """The base class of the client's errors: `code` is for programs, `message` is a sentence that says what to do."""

    def __init__(self, code: str, message: str) -> None:
        """Carry the code and the sentence."""
        super().__init__(message)
        self.code, self.message = code, message


class JobFailed(FaceblurError):
    """One job was refused or has failed. The codes are those of the API, and some for the upload and the waiting."""


class CallFailed(FaceblurError):
    """The API refused a request for a reason that does not lie in the photo."""


class InvalidOptions(CallFailed):
    """The API does not take these options or this decision (code `InvalidDecision`)."""


class BudgetSpent(CallFailed):
    """The day's budget of all clients together, or of this client, is spent."""


class NotSignedIn(CallFailed):
    """The API requires a valid token."""

    def __init__(self, message: str) -> None:
        """Carry the sentence."""
        super().__init__("NotSignedIn", message)


class Unavailable(CallFailed):
    """The API, the storage or the issuer cannot be reached or cannot answer; the same call may succeed later."""

    def __init__(self, message: str) -> None:
        """Carry the sentence."""
        super().__init__("Unavailable", message)


class WrongAddress(CallFailed):
    """There is no server at this address, or the server is not faceblur's API."""

    def __init__(self, message: str) -> None:
        """Carry the sentence."""
        super().__init__("WrongAddress", message)


class Stopped(CallFailed):
    """Another thread has called `Client.stop`."""

    def __init__(self) -> None:
        """Use the sentence that jobs continue."""
        super().__init__("Stopped", "The client was stopped. Jobs that had begun continue.")
