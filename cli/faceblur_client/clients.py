"""The clients that callers use. They do the input and output of the steps (`steps`)."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Self, TypeAlias, TypeVar

import httpx

from faceblur_client.effects import Effect, OneByOne, Pause, Request, Steps
from faceblur_client.errors import Stopped
from faceblur_client.steps import Api, OnStatus, Photo, Result

if TYPE_CHECKING:
    from faceblur_client.credentials import ClientCredentials

Outcome = TypeVar("Outcome")

# The form of httpx's event hooks (https://www.python-httpx.org/advanced/event-hooks/).
EventHooks: TypeAlias = Mapping[str, list[Callable[[Any], Any]]]

TIMEOUT_SECONDS = 60.0


class Client:
    """Calls the API of one stack. Threads may share it.

    Every method repeats a request after a temporary error: up to six attempts with growing pauses. Every method raises
    NotSignedIn, Unavailable, BudgetSpent, WrongAddress and Stopped, which concern all photos. Its docstring names the
    other errors that it raises.
    """

    def __init__(
        self,
        api: str,
        *,
        token: str | ClientCredentials | None = None,
        transport: httpx.BaseTransport | None = None,
        event_hooks: EventHooks | None = None,
    ) -> None:
        """Call the API at this address. An API with sign-in needs a token of its issuer, or client credentials.

        `transport` replaces the network, and `event_hooks` see each request and each answer. Raises WrongAddress if the
        address is not one, and NotSignedIn if the token cannot be valid.
        """
        self._api = Api(api, token)
        self._http = httpx.Client(timeout=TIMEOUT_SECONDS, transport=transport, event_hooks=event_hooks)
        self._one_by_one = threading.Lock()
        self._stopped = threading.Event()

    def hide(self, photo: Photo, /, *, on_status: OnStatus | None = None, **options: Any) -> Result:
        """Hide what the options ask for in a photo. The photo is a path, bytes or a binary file.

        `options` are the API's options, and `keep`, `hide` and `only` of its decision. `on_status` is called with the
        job's id and each new status. With a review, this waits for the person's decision. Raises InvalidOptions,
        JobFailed and OSError.
        """
        return self._take(self._api.hide(photo, options, on_status))

    def submit(self, photo: Photo, /, **options: Any) -> str:
        """Create a job and upload its photo. Returns the job's id. If the form expires, a new job is created.

        Raises InvalidOptions, JobFailed and OSError.
        """
        return self._take(self._api.submit(photo, options))

    def create_job(self, /, **options: Any) -> dict[str, Any]:
        """Create a job; its `upload` is a form for the photo. Raises InvalidOptions."""
        return self._take(self._api.create_job(options))

    def upload(self, form: dict[str, Any], photo: Photo) -> None:
        """Upload a photo with a job's form. Its name is not sent.

        Raises OSError, and JobFailed if the storage refuses the photo, with the code `UploadExpired` if the form has
        expired.
        """
        self._take(self._api.upload(form, photo))

    def get_job(self, job_id: str) -> dict[str, Any]:
        """The job as the API shows it. Raises JobFailed if it does not exist."""
        return self._take(self._api.get_job(job_id))

    def wait_for(self, job_id: str, on_status: OnStatus | None = None) -> dict[str, Any]:
        """Wait until the job is completed, and report each new status. Raises JobFailed if it does not complete.

        It waits 20 minutes at most. The time of a review does not count.
        """
        return self._take(self._api.wait_for(job_id, on_status))

    def result_of(self, job: dict[str, Any]) -> Result:
        """Download the result and the receipt of a completed job. Raises JobFailed if its links have expired."""
        return self._take(self._api.result_of(job))

    def download(self, url: str) -> bytes:
        """The content of a link of a job. Raises JobFailed if it has expired."""
        return self._take(self._api.download(url))

    def redo_job(self, job_id: str, /, **options: Any) -> dict[str, Any]:
        """Do a completed job again with other options or another decision. Raises InvalidOptions and JobFailed."""
        return self._take(self._api.redo_job(job_id, options))

    def review(self, job_id: str, /, **decision: Any) -> dict[str, Any]:
        """Decide about a job that waits for a review: `keep`, `hide`, `only`. Raises InvalidOptions and JobFailed."""
        return self._take(self._api.review(job_id, decision))

    def delete_job(self, job_id: str) -> None:
        """Erase everything of a job at once. Raises JobFailed if it does not exist."""
        self._take(self._api.delete_job(job_id))

    def create_batch(self, /, **fields: Any) -> dict[str, Any]:
        """Create a batch, with the fields of the API. Raises InvalidOptions, and CallFailed if it is not allowed."""
        return self._take(self._api.create_batch(fields))

    def start_batch(self, batch_id: str) -> dict[str, Any]:
        """Start a batch, or start it again for the remaining photos. Raises CallFailed if it runs or does not exist."""
        return self._take(self._api.start_batch(batch_id))

    def get_batch(self, batch_id: str) -> dict[str, Any]:
        """The batch as the API shows it. Raises CallFailed if it does not exist."""
        return self._take(self._api.get_batch(batch_id))

    def renew_form(self, batch_id: str) -> dict[str, Any]:
        """A new upload form of a batch. Raises CallFailed if it runs, takes no uploads or does not exist."""
        return self._take(self._api.renew_form(batch_id))

    def delete_batch(self, batch_id: str) -> None:
        """Stop a batch, and erase everything of it. Raises CallFailed if it does not exist."""
        self._take(self._api.delete_batch(batch_id))

    def stop(self) -> None:
        """End all calls at their next pause or request; they raise Stopped."""
        self._stopped.set()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        """Return the client. Its connections are closed at the end of the block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        self.close()

    def _take(self, steps: Steps[Outcome]) -> Outcome:
        """Perform the effects that the steps yield. Returns the steps' outcome."""
        try:
            effect = next(steps)
            while True:
                try:
                    answer = self._do(effect)
                except (httpx.RequestError, httpx.InvalidURL) as error:
                    effect = steps.throw(error)
                else:
                    effect = steps.send(answer)
        except StopIteration as end:
            outcome: Outcome = end.value
            return outcome

    def _do(self, effect: Effect) -> Any:
        if self._stopped.is_set():
            raise Stopped
        match effect:
            case Request(method, url, content):
                return self._http.request(method, url, **content)
            case Pause(seconds):
                return self._pause(seconds)
            case OneByOne(take):
                with self._one_by_one:
                    return self._take(take())

    def _pause(self, seconds: float) -> None:
        self._stopped.wait(seconds)


class AsyncClient:
    """Calls the API of one stack from coroutines. Its methods are those of `Client`; cancel tasks instead of `stop`."""

    def __init__(
        self,
        api: str,
        *,
        token: str | ClientCredentials | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """As `Client`."""
        self._api = Api(api, token)
        self._http = httpx.AsyncClient(timeout=TIMEOUT_SECONDS, transport=transport)
        self._one_by_one = asyncio.Lock()

    async def hide(self, photo: Photo, /, *, on_status: OnStatus | None = None, **options: Any) -> Result:
        """As `Client.hide`."""
        return await self._take(self._api.hide(photo, options, on_status))

    async def submit(self, photo: Photo, /, **options: Any) -> str:
        """As `Client.submit`."""
        return await self._take(self._api.submit(photo, options))

    async def create_job(self, /, **options: Any) -> dict[str, Any]:
        """As `Client.create_job`."""
        return await self._take(self._api.create_job(options))

    async def upload(self, form: dict[str, Any], photo: Photo) -> None:
        """As `Client.upload`."""
        await self._take(self._api.upload(form, photo))

    async def get_job(self, job_id: str) -> dict[str, Any]:
        """As `Client.get_job`."""
        return await self._take(self._api.get_job(job_id))

    async def wait_for(self, job_id: str, on_status: OnStatus | None = None) -> dict[str, Any]:
        """As `Client.wait_for`."""
        return await self._take(self._api.wait_for(job_id, on_status))

    async def result_of(self, job: dict[str, Any]) -> Result:
        """As `Client.result_of`."""
        return await self._take(self._api.result_of(job))

    async def download(self, url: str) -> bytes:
        """As `Client.download`."""
        return await self._take(self._api.download(url))

    async def redo_job(self, job_id: str, /, **options: Any) -> dict[str, Any]:
        """As `Client.redo_job`."""
        return await self._take(self._api.redo_job(job_id, options))

    async def review(self, job_id: str, /, **decision: Any) -> dict[str, Any]:
        """As `Client.review`."""
        return await self._take(self._api.review(job_id, decision))

    async def delete_job(self, job_id: str) -> None:
        """As `Client.delete_job`."""
        await self._take(self._api.delete_job(job_id))

    async def create_batch(self, /, **fields: Any) -> dict[str, Any]:
        """As `Client.create_batch`."""
        return await self._take(self._api.create_batch(fields))

    async def start_batch(self, batch_id: str) -> dict[str, Any]:
        """As `Client.start_batch`."""
        return await self._take(self._api.start_batch(batch_id))

    async def get_batch(self, batch_id: str) -> dict[str, Any]:
        """As `Client.get_batch`."""
        return await self._take(self._api.get_batch(batch_id))

    async def renew_form(self, batch_id: str) -> dict[str, Any]:
        """As `Client.renew_form`."""
        return await self._take(self._api.renew_form(batch_id))

    async def delete_batch(self, batch_id: str) -> None:
        """As `Client.delete_batch`."""
        await self._take(self._api.delete_batch(batch_id))

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        """Return the client. Its connections are closed at the end of the block."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the connections."""
        await self.close()

    async def _take(self, steps: Steps[Outcome]) -> Outcome:
        """As `Client._take`."""
        try:
            effect = next(steps)
            while True:
                try:
                    answer = await self._do(effect)
                except (httpx.RequestError, httpx.InvalidURL) as error:
                    effect = steps.throw(error)
                else:
                    effect = steps.send(answer)
        except StopIteration as end:
            outcome: Outcome = end.value
            return outcome

    async def _do(self, effect: Effect) -> Any:
        match effect:
            case Request(method, url, content):
                return await self._http.request(method, url, **content)
            case Pause(seconds):
                return await self._pause(seconds)
            case OneByOne(take):
                async with self._one_by_one:
                    return await self._take(take())

    async def _pause(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
