"""What can go wrong, as a contract.

    FaceblurError
    ├── PhotoError                 the photo itself is the cause; trying again will not help
    │   ├── UnsupportedFormat
    │   ├── CorruptImage
    │   ├── ImageTooLarge
    │   ├── ImageTooSmall
    │   ├── TooManyFaces
    │   ├── NoFacesFound
    │   └── UploadReplaced
    ├── TransientError             the state machine tries again
    │   ├── DetectorThrottled
    │   ├── DetectorUnavailable
    │   └── StorageUnavailable
    ├── JobEnded                   the job did not come to a result
    │   ├── UploadExpired
    │   ├── TimedOut
    │   ├── Aborted
    │   └── InternalError
    └── RequestError               the API refuses the request
        ├── InvalidOptions
        ├── NotSignedIn
        ├── JobNotFound
        └── TooManyJobs

A class's name is the error's name in the state machine and the `code` in the API and on the page;
its message is the sentence that a person reads there.
"""

from typing import ClassVar


class FaceblurError(Exception):
    """Base of all errors a user can meet; without a message it carries the sentence of its class."""

    sentence: ClassVar[str] = "Something went wrong on our side. Please try again."

    def __init__(self, message: str | None = None) -> None:
        """Carry `message`, or the sentence of the class."""
        super().__init__(message or self.sentence)

    @property
    def code(self) -> str:
        """The name under which the state machine, the API and the page know this error."""
        return type(self).__name__

    @property
    def message(self) -> str:
        """The sentence for a person."""
        return str(self)


class PhotoError(FaceblurError):
    """The photo cannot be worked on; trying again with the same photo will not help."""


class UnsupportedFormat(PhotoError):
    """Not an image, or of a format or kind that is not taken."""

    sentence = (
        "This file is not a photo in a format we can read. "
        "Please upload a JPEG, PNG, WebP, AVIF, HEIC, TIFF or BMP file."
    )


class CorruptImage(PhotoError):
    """Starts like an image, but cannot be decoded to its end."""

    sentence = "This photo is damaged or incomplete. Please upload it again, or export it anew."


class ImageTooLarge(PhotoError):
    """Above the limit of bytes or of pixels."""

    sentence = "This photo is too large. Please reduce it and upload it again."


class ImageTooSmall(PhotoError):
    """Below the smallest size in which a face can be told."""

    sentence = "This image is too small to find faces in it. Please upload the original photo."


class TooManyFaces(PhotoError):
    """More faces than one job can hide."""

    sentence = "There are too many faces in this photo. Please split it into parts and upload those."


class NoFacesFound(PhotoError):
    """No face was found, and the job was asked to fail on that."""

    sentence = "No face was found in this photo. If there is one, try a lower minimum confidence."


class UploadReplaced(PhotoError):
    """The stored photo is no longer the one that the job was started for."""

    sentence = "The photo was replaced or removed while we worked on it. Please create one job for each photo."


class TransientError(FaceblurError):
    """A dependency did not answer; the state machine tries again."""


class DetectorThrottled(TransientError):
    """The face detection service takes no more requests just now."""

    sentence = "Face detection is very busy just now. Please try again in a few minutes."


class DetectorUnavailable(TransientError):
    """The face detection service does not answer."""

    sentence = "Face detection is not available just now. Please try again in a few minutes."


class StorageUnavailable(TransientError):
    """S3 or DynamoDB does not answer."""

    sentence = "Our storage is not available just now. Please try again in a few minutes."


class JobEnded(FaceblurError):
    """The job ended without a result."""


class UploadExpired(JobEnded):
    """No photo arrived while the upload form was valid."""

    sentence = "No photo arrived before the upload form expired. Please create a new job."


class TimedOut(JobEnded):
    """The execution, or one of its tasks, took longer than it may."""

    sentence = "This photo took too long to process. Please try again, or reduce it first."


class Aborted(JobEnded):
    """The execution was stopped by an operator."""

    sentence = "Processing was stopped before it finished. Please create a new job."


class InternalError(JobEnded):
    """Anything unforeseen."""


class RequestError(FaceblurError):
    """The API refuses a request."""


class InvalidOptions(RequestError):
    """A field of the request is unknown or out of its range; the message names it and what is allowed."""

    sentence = "The options of this job are not valid."


class NotSignedIn(RequestError):
    """The request has no token, or none that the issuer of this deployment made for it, or an expired one."""

    sentence = "Please sign in, or sign in again."


class JobNotFound(RequestError):
    """No job has this id, or it was deleted, or it is somebody else's."""

    sentence = "There is no such job. It may have been deleted or have expired."


class TooManyJobs(RequestError):
    """As many jobs were created today as one day may have."""

    sentence = "No more photos are taken today. Please try again tomorrow."
