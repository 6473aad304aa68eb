"""A client of the API: create a job, upload the photo, follow the job, fetch the result."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import httpx

from faceblur_cli.failures import Failure

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_PATIENCE_SECONDS = 20 * 60
_SHORTEST_WAIT_SECONDS, _LONGEST_WAIT_SECONDS = 0.2, 2.0
FINISHED = {"COMPLETED", "FAILED"}


class JobFailed(Exception):
    """A photo that did not come to a result: the API's code and sentence."""

    def __init__(self, code: str, message: str) -> None:
        """Carry the code and the sentence."""
        super().__init__(message)
        self.code, self.message = code, message


class Unavailable(Failure):
    """The API cannot be reached, or has no answer just now."""


class ApiClient:
    """Speaks to one stack's API."""

    def __init__(self, api_url: str, transport: httpx.BaseTransport | None = None, token: str | None = None) -> None:
        """Speak to the API at this address, as the person whom a token of its issuer's names if it asks for sign-in."""
        self._api_url = api_url.rstrip("/")
        # For the API alone: the storage gets forms and links, which carry their own leave.
        self._signed_in = {"Authorization": f"Bearer {token}"} if token else {}
        self._http = httpx.Client(timeout=60, transport=transport)
        self._given_up = threading.Event()

    def give_up(self) -> None:
        """Have all threads stop following their jobs."""
        self._given_up.set()

    def create_job(self, options: dict[str, Any]) -> dict[str, Any]:
        """Create a job; raises JobFailed if its options are refused."""
        return self._call("POST", "/jobs", json=options)

    def get_job(self, job_id: str) -> dict[str, Any]:
        """How a job stands; raises JobFailed if there is none."""
        return self._call("GET", f"/jobs/{job_id}")

    def delete_job(self, job_id: str) -> None:
        """Erase a job and its photos."""
        self._call("DELETE", f"/jobs/{job_id}")

    def upload(self, form: dict[str, Any], photo: Path) -> None:
        """Post the photo with its presigned form; raises JobFailed if S3 refuses it."""
        with photo.open("rb") as file:
            response = self._send("POST", form["url"], data=form["fields"], files={"file": (photo.name, file)})
        if response.status_code >= httpx.codes.BAD_REQUEST:
            raise refused_upload(response.text)

    def follow(self, job_id: str, saw: Callable[[str], None]) -> dict[str, Any]:
        """Wait until the job is finished, telling each new status; raises JobFailed if it does not complete."""
        started, status = time.monotonic(), None
        while (passed := time.monotonic() - started) < _PATIENCE_SECONDS and not self._given_up.is_set():
            try:
                job = self.get_job(job_id)
            except Unavailable:
                # The job goes on without us: a hiccup while asking is not its failure.
                time.sleep(_LONGEST_WAIT_SECONDS)
                continue
            if job["status"] != status:
                status = job["status"]
                saw(status)
            if status == "FAILED":
                raise JobFailed(job["error"]["code"], job["error"]["message"])
            if status == "COMPLETED":
                return job
            # So that the end is seen late by no more than a tenth of the time that the job took.
            time.sleep(min(max(_SHORTEST_WAIT_SECONDS, passed / 10), _LONGEST_WAIT_SECONDS))
        raise JobFailed("TimedOut", "The job did not finish in time.")

    def download(self, url: str) -> bytes:
        """What lies under a presigned link."""
        response = self._send("GET", url)
        response.raise_for_status()
        return response.content

    def _call(self, method: str, path: str, **content: Any) -> dict[str, Any]:
        response = self._send(method, self._api_url + path, headers=self._signed_in, **content)
        if response.status_code == httpx.codes.NO_CONTENT:
            return {}
        if response.status_code == httpx.codes.UNAUTHORIZED:
            raise JobFailed("NotSignedIn", "This API asks for sign-in: give a token with --token or FACEBLUR_TOKEN.")
        busy = response.status_code == httpx.codes.TOO_MANY_REQUESTS and "TooManyJobs" not in response.text
        if busy or response.is_server_error:
            raise Unavailable(f"{self._api_url} does not answer just now ({response.status_code}).")
        try:
            body: dict[str, Any] = response.json()
        except ValueError:
            raise Failure(f"{self._api_url} does not answer as faceblur's API ({response.status_code}).") from None
        if response.is_error:
            raise JobFailed(body.get("code", "InternalError"), body.get("message", "The API refused the request."))
        return body

    def _send(self, method: str, url: str, **content: Any) -> httpx.Response:
        try:
            return self._http.request(method, url, **content)
        except httpx.TransportError as error:
            raise Unavailable(f"{httpx.URL(url).host} cannot be reached: {error}") from error


def refused_upload(answer: str) -> JobFailed:
    """What S3's refusal of an upload means to a person."""
    if "EntityTooLarge" in answer:
        return JobFailed("ImageTooLarge", "This photo is above the limit of 35 MB. Please reduce it.")
    if "expired" in answer.lower():
        return JobFailed("UploadExpired", "The upload form expired before the photo arrived. Please try again.")
    return JobFailed("UploadRefused", "The storage refused the photo. Please try again.")
