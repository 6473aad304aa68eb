"""The steps that take a photo through the API."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from io import BytesIO
from os import PathLike
from pathlib import Path
from typing import IO, Any, TypeAlias

import httpx

from faceblur_client.credentials import ClientCredentials, TokenKeeper
from faceblur_client.effects import Pause, Request, Steps, cannot_answer, send
from faceblur_client.errors import (
    BudgetSpent,
    CallFailed,
    InvalidOptions,
    JobFailed,
    NotSignedIn,
    Unavailable,
    WrongAddress,
)

Photo: TypeAlias = str | PathLike[str] | bytes | IO[bytes]
OnStatus: TypeAlias = Callable[[str, str], object]

JOB_MINUTES = 20
SHORTEST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 0.2, 2.0
MOST_OF_A_JOB = 0.8  # of the last job's duration; before that, the next job is most likely unfinished
_FORMS = 3  # the number of forms that may expire for one photo
_OF_ONE_JOB = {"JobNotFound", "JobNotFinished", "ReviewClosed", "OriginalDeleted"}
_OF_OPTIONS = {"InvalidOptions", "InvalidDecision"}


class _UploadExpired(JobFailed):
    pass


@dataclass(frozen=True)
class Result:
    """A photo in which something is hidden.

    `hidden` has the number of hidden boxes of each kind, and `kept` the number that stay visible by a decision.
    `receipt` is the receipt (schema `Receipt` of the API), and `job` the completed job as the API shows it.
    """

    job_id: str
    hidden: dict[str, int]
    kept: dict[str, int]
    warnings: tuple[str, ...]
    content: bytes = field(repr=False)
    content_type: str
    receipt: dict[str, Any] = field(repr=False)
    job: dict[str, Any] = field(repr=False)

    def save(self, path: str | PathLike[str]) -> None:
        """Write the photo to a file. An existing file is replaced. Raises OSError."""
        Path(path).write_bytes(self.content)


class Api:
    """The steps of one API. They raise the errors that `Client` names."""

    def __init__(self, url: str, token: str | ClientCredentials | None) -> None:
        """Use the API at this address. Raises WrongAddress if this is not an address."""
        self._url = valid_address(url)
        self._token = TokenKeeper(token)
        self._last_took = 0.0  # seconds for which we waited for the last completed job; 0 if there was none

    def hide(self, photo: Photo, options: Mapping[str, Any], on_status: OnStatus | None) -> Steps[Result]:
        """From a photo to its result."""
        job_id = yield from self.submit(photo, options)
        job = yield from self.wait_for(job_id, on_status)
        return (yield from self.result_of(job))

    def submit(self, photo: Photo, options: Mapping[str, Any]) -> Steps[str]:
        """From a photo to its job's id. If the form expires, a new job is created."""
        with _opened(photo) as file:
            for _ in range(_FORMS - 1):
                with suppress(_UploadExpired):
                    return (yield from self._submit(file, options))
            return (yield from self._submit(file, options))

    def _submit(self, file: IO[bytes], options: Mapping[str, Any]) -> Steps[str]:
        created = yield from self.create_job(options)
        yield from self.upload(created["upload"], file)
        return str(created["job_id"])

    def create_job(self, options: Mapping[str, Any]) -> Steps[dict[str, Any]]:
        """A new job, with the form for its photo."""
        # If the answer is lost, the first job never gets a photo, so it costs nothing.
        return (yield from self._call("POST", "/jobs", options))

    def upload(self, form: Mapping[str, Any], photo: Photo) -> Steps[None]:
        """Send the photo to the storage."""
        most = form["max_bytes"]
        with _opened(photo) as file:
            # Read the whole file first, because it may change while it is sent. Read no more than the limit allows,
            # because the file may be something else than a photo.
            content = file.read(most + 1)
        if len(content) > most:
            raise _too_large(most)
        # The photo's own name is not sent. The upload may be repeated, because the same photo changes nothing.
        request = Request("POST", form["url"], {"data": form["fields"], "files": {"file": ("photo", content)}})
        response = yield from send(request)
        if response.is_server_error:
            raise cannot_answer(request, response)
        if not response.is_success:
            raise _refused_upload(response, most)

    def get_job(self, job_id: str) -> Steps[dict[str, Any]]:
        """The job as the API shows it."""
        return (yield from self._call("GET", f"/jobs/{job_id}"))

    def wait_for(self, job_id: str, on_status: OnStatus | None) -> Steps[dict[str, Any]]:
        """Wait until the job is completed. Returns the job."""
        started, status = time.monotonic(), None
        if self._last_took:
            # The shortest wait does not apply, so that a job that has ended already is seen at once.
            yield Pause(min(MOST_OF_A_JOB * self._last_took, LONGEST_WAIT_SECONDS))
        while (passed := time.monotonic() - started) < JOB_MINUTES * 60:
            try:
                job = yield from self.get_job(job_id)
            except Unavailable:
                # The job continues even if its status cannot be read.
                yield Pause(LONGEST_WAIT_SECONDS)
                continue
            if job["status"] != status:
                status = job["status"]
                if on_status:
                    on_status(job_id, status)
            if status == "FAILED":
                raise _failure(job["error"])
            if status == "COMPLETED":
                self._last_took = passed
                return job
            if status == "AWAITING_REVIEW":
                started = time.monotonic()
                yield Pause(LONGEST_WAIT_SECONDS)
                continue
            yield self._pause(passed)
        raise JobFailed(
            "TimedOut",
            f"The job did not finish within {JOB_MINUTES} minutes. `faceblur trace {job_id}` shows its steps.",
        )

    def _pause(self, passed: float) -> Pause:
        """The pause before the next request for a job, after waiting for the job for this many seconds.

        If the job takes as long as the last one, its end is noticed at most a tenth of its duration late.
        """
        soon = max(SHORTEST_WAIT_SECONDS, passed / 10, MOST_OF_A_JOB * self._last_took - passed)
        return Pause(min(soon, LONGEST_WAIT_SECONDS))

    def result_of(self, job: Mapping[str, Any]) -> Steps[Result]:
        """Download the result and the receipt of a completed job."""
        content = yield from self.download(job["result"]["url"])
        receipt = yield from self._download(job["receipt"]["url"])
        return Result(
            job["job_id"],
            job["hidden"],
            job["kept"],
            tuple(job["warnings"]),
            content,
            job["result"]["content_type"],
            receipt.json(),
            dict(job),
        )

    def download(self, url: str) -> Steps[bytes]:
        """The content of a link."""
        return (yield from self._download(url)).content

    def redo_job(self, job_id: str, options: Mapping[str, Any]) -> Steps[dict[str, Any]]:
        """Do a completed job again."""
        return (yield from self._call("POST", f"/jobs/{job_id}/redo", options, repeatable=False))

    def review(self, job_id: str, decision: Mapping[str, Any]) -> Steps[dict[str, Any]]:
        """Decide what is hidden."""
        return (yield from self._call("PUT", f"/jobs/{job_id}/review", decision, repeatable=False))

    def delete_job(self, job_id: str) -> Steps[None]:
        """Erase a job."""
        yield from self._call("DELETE", f"/jobs/{job_id}")

    def create_batch(self, fields: Mapping[str, Any]) -> Steps[dict[str, Any]]:
        """A new batch."""
        return (yield from self._call("POST", "/batches", fields, repeatable=False))

    def start_batch(self, batch_id: str) -> Steps[dict[str, Any]]:
        """Start a batch."""
        return (yield from self._call("POST", f"/batches/{batch_id}/start", repeatable=False))

    def get_batch(self, batch_id: str) -> Steps[dict[str, Any]]:
        """The batch as the API shows it."""
        return (yield from self._call("GET", f"/batches/{batch_id}"))

    def renew_form(self, batch_id: str) -> Steps[dict[str, Any]]:
        """A new upload form of a batch."""
        return (yield from self._call("POST", f"/batches/{batch_id}/form"))

    def delete_batch(self, batch_id: str) -> Steps[None]:
        """Stop and erase a batch."""
        yield from self._call("DELETE", f"/batches/{batch_id}")

    def _call(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, repeatable: bool = True
    ) -> Steps[dict[str, Any]]:
        """Send a request to the API. If the API refuses the token, renew it once and repeat the request."""
        content = {} if body is None else {"content": _as_json(body)}
        token = yield from self._token.get()
        request = Request(method, self._url + path, {"headers": _headers(token), **content})
        response = yield from send(request, repeatable=repeatable)
        if response.status_code == httpx.codes.UNAUTHORIZED and self._token.renewable:
            token = yield from self._token.get(instead_of=token)
            request = Request(method, self._url + path, {"headers": _headers(token), **content})
            response = yield from send(request, repeatable=repeatable)
        return _answer(request, response)

    def _download(self, url: str) -> Steps[httpx.Response]:
        request = Request("GET", url)
        response = yield from send(request)
        if response.is_server_error:
            raise cannot_answer(request, response)
        if not response.is_success:
            raise JobFailed(
                "DownloadRefused",
                f"The storage refused to give the result ({_status(response)}). Ask for the job again.",
            )
        return response


def valid_address(url: str) -> str:
    """The address without a slash at its end. Raises WrongAddress if it is not the address of an API."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        parsed = httpx.URL()
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise WrongAddress(f"{url!r} is not the address of an API, such as http://127.0.0.1:4566/…/api.")
    return url.rstrip("/")


@contextmanager
def _opened(photo: Photo) -> Iterator[IO[bytes]]:
    """The photo as a seekable file, at its beginning."""
    if isinstance(photo, bytes):
        yield BytesIO(photo)
    elif isinstance(photo, str | PathLike):
        with Path(photo).open("rb") as file:
            yield file
    elif photo.seekable():
        photo.seek(0)
        yield photo
    else:
        yield BytesIO(photo.read())


def _as_json(options: Mapping[str, Any]) -> str:
    """The options as JSON. Raises InvalidOptions if JSON cannot represent them."""
    try:
        return json.dumps(dict(options), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InvalidOptions("InvalidOptions", f"These options cannot be sent as JSON: {error}.") from None


def _headers(token: str | None) -> dict[str, str]:
    """For the API only: the upload forms and download links are already signed."""
    return {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})


def _answer(request: Request, response: httpx.Response) -> dict[str, Any]:
    """The body of an answer. If the answer is an error, raises it."""
    if response.status_code == httpx.codes.UNAUTHORIZED:
        raise NotSignedIn(
            "This API requires sign-in. Give a valid token: `Client(api, token=…)`, or FACEBLUR_TOKEN for the command."
        )
    if response.is_server_error:
        raise cannot_answer(request, response)
    if response.status_code == httpx.codes.NO_CONTENT:
        return {}
    try:
        body = response.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise WrongAddress(
            f"{request.host} does not answer as faceblur's API does ({response.status_code}). Check the API's address."
        )
    if not response.is_success:
        raise _refusal(body.get("code", "InternalError"), body.get("message", "The API refused the request."))
    return body


def _failure(error: Mapping[str, str]) -> JobFailed | CallFailed:
    """The error of a job that has failed. It is a CallFailed if the budget is spent, because other photos fail too."""
    kind = BudgetSpent if error["code"] == "BudgetSpent" else JobFailed
    return kind(error["code"], error["message"])


def _refusal(code: str, message: str) -> JobFailed | CallFailed:
    """The error for a code of the API."""
    if code in _OF_ONE_JOB:
        return JobFailed(code, message)
    if code in _OF_OPTIONS:
        return InvalidOptions(code, message)
    return BudgetSpent(code, message) if code == "BudgetSpent" else CallFailed(code, message)


def _status(response: httpx.Response) -> str:
    """The status and its reason, such as 403 Forbidden."""
    return f"{response.status_code} {response.reason_phrase}".strip()


def _too_large(max_bytes: int) -> JobFailed:
    return JobFailed("ImageTooLarge", f"This photo is larger than {max_bytes / 1_000_000:g} MB. Please reduce it.")


def _refused_upload(response: httpx.Response, max_bytes: int) -> JobFailed:
    """The error that explains why the storage refused a photo."""
    answer = response.text
    if "EntityTooLarge" in answer:
        return _too_large(max_bytes)
    if "expired" in answer.lower():
        return _UploadExpired("UploadExpired", "The upload form expired before the photo arrived. Please try again.")
    return JobFailed("UploadRefused", f"The storage refused the photo ({_status(response)}). Please try again.")
