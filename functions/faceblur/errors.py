"""The errors of this project.

    FaceblurError
    ├── PhotoError                 the photo is the cause; trying again does not help
    │   ├── UnsupportedFormat
    │   ├── CorruptImage
    │   ├── ImageTooLarge
    │   ├── ImageTooSmall
    │   ├── TooMuchToHide
    │   ├── NothingFound
    │   ├── PhotoTooExpensive
    │   └── UploadReplaced
    ├── TransientError             the state machine tries again
    │   ├── DetectorThrottled
    │   ├── DetectorUnavailable
    │   └── StorageUnavailable
    ├── JobEnded                   the job ended without a result
    │   ├── UploadExpired
    │   ├── ReviewExpired
    │   ├── TimedOut
    │   ├── PhotoTooDemanding
    │   ├── Aborted
    │   ├── BudgetSpent
    │   └── InternalError
    ├── BatchEnded                 the batch ended before all its photos were tried
    │   ├── TooManyFailed
    │   └── SourceUnreadable
    └── RequestError               the API refuses the request
        ├── InvalidOptions
        ├── InvalidDecision
        ├── NotSignedIn
        ├── RouteNotFound
        ├── JobNotFound
        ├── JobNotFinished
        ├── ReviewClosed
        ├── OriginalDeleted
        ├── BatchNotFound
        ├── BatchNotReady
        └── SourceNotAllowed

The name of a class is the error's name in the state machine and its `code` in the API and on the page. Its message is a
sentence for the user.
"""

from typing import ClassVar


class FaceblurError(Exception):
    """The base class of all errors that a user can meet."""

    sentence: ClassVar[str] = "Something went wrong on our side. Please try again."

    def __init__(self, message: str | None = None) -> None:
        """Use this message, or the sentence of the class."""
        super().__init__(message or self.sentence)

    @property
    def code(self) -> str:
        """The error's name in the state machine, the API and the page."""
        return type(self).__name__

    @property
    def message(self) -> str:
        """The sentence for the user."""
        return str(self)

    def to_dict(self) -> dict[str, str]:
        """The code and the sentence, as rows, events and answers of the API hold them."""
        return {"code": self.code, "message": self.message}


class PhotoError(FaceblurError):
    """The photo cannot be processed. Trying again with the same photo does not help."""


class UnsupportedFormat(PhotoError):
    """The file is not an image, or is of a format or kind that we do not accept."""

    sentence = (
        "This file is not a photo in a format we can read. "
        "Please upload a JPEG, PNG, WebP, AVIF, HEIC, TIFF or BMP file."
    )


class CorruptImage(PhotoError):
    """The file starts like an image, but cannot be decoded completely."""

    sentence = "This photo is damaged or incomplete. Please upload it again, or export it anew."


class ImageTooLarge(PhotoError):
    """The photo exceeds the limit of bytes or of pixels."""

    sentence = "This photo is too large. Please reduce it and upload it again."


class ImageTooSmall(PhotoError):
    """The image is too small to contain anything that could be recognised."""

    sentence = "This image is too small to find anything in it. Please upload the original photo."


class TooMuchToHide(PhotoError):
    """The photo has more boxes than one job can hide."""

    sentence = "There is too much to hide in this photo. Please split it into parts and upload those."


class NothingFound(PhotoError):
    """Nothing was found of what the job hides, and its options ask to fail then."""

    sentence = "Nothing to hide was found in this photo. If there is something, try a lower minimum confidence."


class PhotoTooExpensive(PhotoError):
    """The search takes more paid calls than a job may make."""

    sentence = "This photo needs more paid detection than one job may use. Please reduce it and upload it again."


class UploadReplaced(PhotoError):
    """The upload was replaced or deleted after the job was started."""

    sentence = "The photo was replaced or removed while we worked on it. Please create one job for each photo."


class TransientError(FaceblurError):
    """A service did not answer. The state machine tries again."""


class DetectorThrottled(TransientError):
    """The detection service refuses requests because there were too many."""

    sentence = "Detection is very busy just now. Please try again in a few minutes."


class DetectorUnavailable(TransientError):
    """The detection service does not answer."""

    sentence = "Detection is not available just now. Please try again in a few minutes."


class StorageUnavailable(TransientError):
    """S3 or DynamoDB does not answer."""

    sentence = "Our storage is not available just now. Please try again in a few minutes."


class JobEnded(FaceblurError):
    """The job ended without a result."""


class UploadExpired(JobEnded):
    """No photo was uploaded while the upload form was valid."""

    sentence = "No photo arrived before the upload form expired. Please create a new job."


class ReviewExpired(JobEnded):
    """Nobody answered the job's review in time."""

    sentence = "Nobody decided in time what is hidden. Please try again."


class TimedOut(JobEnded):
    """The work on the photo, or one of its tasks, took longer than allowed."""

    sentence = "This photo took too long to process. Please try again, or reduce it first."


class PhotoTooDemanding(JobEnded):
    """A function ended twice while it worked on the photo. Most likely the photo takes more memory than it has."""

    sentence = "This photo takes more memory than we have. Please reduce it, or choose another output format."


class Aborted(JobEnded):
    """An operator stopped the execution."""

    sentence = "Processing was stopped before it finished. Please create a new job."


class BudgetSpent(JobEnded):
    """The day's budget of all clients together, or of this client, is spent. The API raises it too."""

    sentence = "No more photos are taken today. Please try again tomorrow."


class InternalError(JobEnded):
    """An unexpected error."""


class BatchEnded(FaceblurError):
    """The batch ended before all its photos were tried."""


class TooManyFailed(BatchEnded):
    """More of the batch's photos failed than it tolerates."""

    sentence = "Too many photos failed. The report says why; remove the cause, and start the batch again for the rest."


class SourceUnreadable(BatchEnded):
    """The photos of the batch, or the list of them, cannot be read."""

    sentence = "The photos of this batch cannot be listed. Check that the source exists, and start the batch again."


class RequestError(FaceblurError):
    """The API refuses a request."""


class InvalidOptions(RequestError):
    """A field of the request is unknown or out of range. The message names the field and the allowed values."""

    sentence = "The options of this job are not valid."


class InvalidDecision(RequestError):
    """A decision about what is hidden is not valid. The message names the field and what is allowed."""

    sentence = "The decision about what is hidden is not valid."


class NotSignedIn(RequestError):
    """The request has no token, an expired one, or one that was not made for this deployment."""

    sentence = "Please sign in, or sign in again."


class JobNotFound(RequestError):
    """No job has this id, the job was deleted, or it belongs to somebody else."""

    sentence = "There is no such job. It may have been deleted or have expired."


class RouteNotFound(RequestError):
    """The API has no such path, or the path has no such method."""

    sentence = "There is nothing at this address. The API's description lists every path and method."


class JobNotFinished(RequestError):
    """The job is not completed, so it cannot be done again."""

    sentence = "This job is not completed, so it cannot be done again. Wait until it is, or create a new job."


class ReviewClosed(RequestError):
    """The job does not wait for a review."""

    sentence = "This job does not wait for a review. Request it again to see its state."


class OriginalDeleted(RequestError):
    """The photo of the job is no longer kept, so the job cannot be done again."""

    sentence = "The photo of this job was deleted. Please upload it again."


class BatchNotFound(RequestError):
    """No batch has this id, the batch was deleted, or it belongs to somebody else."""

    sentence = "There is no such batch. It may have been deleted or have expired."


class BatchNotReady(RequestError):
    """The batch is running, or takes no uploads."""

    sentence = "This batch is running, or takes its photos from a bucket. Request it again to see its state."


class SourceNotAllowed(RequestError):
    """The source or the target of a batch is not within the buckets and prefixes of the deployment's parameters."""

    sentence = "This deployment may not use that bucket or prefix. It uses those of its parameters only."
