"""A client of the API: create a job, upload the photo, wait for the job, download the result."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from faceblur_cli.failures import Failure

_JOB_MINUTES = 20
_SHORTEST_WAIT_SECONDS, _LONGEST_WAIT_SECONDS = 0.2, 2.0


class JobFailed(Exception):
    """A job that was refused or has failed: its error code, and a sentence that says what to do."""

    def __init__(self, code: str, message: str) -> None:
        """Carry the code and the sentence."""
        super().__init__(message)
        self.code, self.message = code, message


class Unavailable(Failure):
    """The API cannot be reached or cannot answer at the moment; the same request may succeed later."""


class ApiClient:
    """Calls the API of one stack."""

    def __init__(self, api_url: str, transport: httpx.BaseTransport | None = None, token: str | None = None) -> None:
        """Call the API at this address; an API with sign-in needs a token of its issuer."""
        self._api_url = api_url.rstrip("/")
        # For the API only: the upload forms and download links are already signed.
        self._authorization = {"Authorization": f"Bearer {token}"} if token else {}
        self._http = httpx.Client(timeout=60, transport=transport)
        self._stopped = threading.Event()

    def stop_waiting(self) -> None:
        """End `wait_for` in all threads; it raises JobFailed there."""
        self._stopped.set()

    def create_job(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Create a job with these options and this decision. Raises JobFailed if the API refuses them."""
        return self.call("POST", "/jobs", json=fields)

    def redo_job(self, job_id: str, fields: dict[str, Any]) -> dict[str, Any]:
        """Do a completed job again with these options and this decision. Raises JobFailed if the API refuses."""
        return self.call("POST", f"/jobs/{job_id}/redo", json=fields)

    def get_job(self, job_id: str) -> dict[str, Any]:
        """The job as the API shows it. Raises JobFailed if it does not exist."""
        return self.call("GET", f"/jobs/{job_id}")

    def delete_job(self, job_id: str) -> None:
        """Delete a job with its files. Raises JobFailed if it does not exist."""
        self.call("DELETE", f"/jobs/{job_id}")

    def upload(self, form: dict[str, Any], photo: Path) -> None:
        """Upload the photo with its presigned form. Raises JobFailed if S3 refuses it."""
        with photo.open("rb") as file:
            response = self._send("POST", form["url"], data=form["fields"], files={"file": (photo.name, file)})
        if not response.is_success:
            raise refused_upload(response, form["max_bytes"])

    def wait_for(self, job_id: str, show_status: Callable[[str], None]) -> dict[str, Any]:
        """Wait until the job is completed, and show each new status. Raises JobFailed if it does not complete.

        The time in which the job waits for a review does not count.
        """
        started, status = time.monotonic(), None
        while (passed := time.monotonic() - started) < _JOB_MINUTES * 60 and not self._stopped.is_set():
            try:
                job = self.get_job(job_id)
            except Unavailable:
                # The job continues, whether or not we can see its status.
                time.sleep(_LONGEST_WAIT_SECONDS)
                continue
            if job["status"] != status:
                status = job["status"]
                show_status(status)
            if status == "FAILED":
                raise JobFailed(job["error"]["code"], job["error"]["message"])
            if status == "COMPLETED":
                return job
            if status == "AWAITING_REVIEW":
                started = time.monotonic()
                time.sleep(_LONGEST_WAIT_SECONDS)
                continue
            # We see the end of the job late by at most a tenth of its duration.
            time.sleep(min(max(_SHORTEST_WAIT_SECONDS, passed / 10), _LONGEST_WAIT_SECONDS))
        raise JobFailed(
            "TimedOut",
            f"The job did not finish within {_JOB_MINUTES} minutes. `faceblur trace {job_id}` shows what it does.",
        )

    def download(self, url: str) -> bytes:
        """The content of a presigned link. Raises JobFailed, without the link, which is a secret, if it is refused."""
        response = self._send("GET", url)
        if not response.is_success:
            raise JobFailed(
                "DownloadRefused", f"The storage refused to give the result ({_status(response)}). Please try again."
            )
        return response.content

    def call(self, method: str, path: str, **content: Any) -> dict[str, Any]:
        """The answer of the API. Raises JobFailed if it refuses, and Unavailable if it cannot answer."""
        response = self._send(method, self._api_url + path, headers=self._authorization, **content)
        if response.status_code == httpx.codes.UNAUTHORIZED:
            raise JobFailed(
                "NotSignedIn", "This API requires sign-in. Give a valid token in FACEBLUR_TOKEN or with --token."
            )
        busy = response.status_code == httpx.codes.TOO_MANY_REQUESTS and "BudgetSpent" not in response.text
        if busy or response.is_server_error:
            raise Unavailable(f"{self._api_url} cannot answer at the moment ({response.status_code}). Try again later.")
        if response.status_code == httpx.codes.NO_CONTENT:
            return {}
        try:
            body: dict[str, Any] = response.json()
        except ValueError:
            raise Failure(
                f"{self._api_url} does not answer as faceblur's API does ({response.status_code}). Check --api."
            ) from None
        if response.is_error:
            raise JobFailed(body.get("code", "InternalError"), body.get("message", "The API refused the request."))
        return body

    def _send(self, method: str, url: str, **content: Any) -> httpx.Response:
        # Presigned addresses are secrets, so an error tells the host alone.
        try:
            return self._http.request(method, url, **content)
        except httpx.InvalidURL:
            raise Failure("The API gave an address that is none. Check --api.") from None
        except httpx.RequestError as error:
            raise Unavailable(f"{httpx.URL(url).host} cannot be reached: {error}") from error


def refused_upload(response: httpx.Response, max_bytes: int) -> JobFailed:
    """The error that tells a person why S3 refused an upload."""
    answer = response.text
    if "EntityTooLarge" in answer:
        return JobFailed("ImageTooLarge", f"This photo is larger than {max_bytes / 1_000_000:g} MB. Please reduce it.")
    if "expired" in answer.lower():
        return JobFailed("UploadExpired", "The upload form expired before the photo arrived. Please try again.")
    return JobFailed("UploadRefused", f"The storage refused the photo ({_status(response)}). Please try again.")


def _status(response: httpx.Response) -> str:
    """The status and its reason, such as 403 Forbidden."""
    return f"{response.status_code} {response.reason_phrase}".strip()
