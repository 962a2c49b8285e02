"""The emulator: requests in, answers out."""

import secrets
import shutil
import sqlite3
import tempfile
import weakref
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, Unpack

from scripe._concurrency import AsyncCallback, AsyncKeySource, Callback, KeySource
from scripe._lazy import stand_ins
from scripe.emulator.access import Access
from scripe.emulator.api import Api
from scripe.emulator.backend import Backend
from scripe.emulator.clock import Clock
from scripe.emulator.data_files import DESCRIPTION, read_data_file
from scripe.emulator.deliveries import Courier
from scripe.emulator.errors import failure
from scripe.emulator.events import Events
from scripe.emulator.faults import Failure
from scripe.emulator.jobs import Jobs
from scripe.emulator.limits import Spending
from scripe.emulator.messages import Request, Response
from scripe.emulator.own_storage import OwnStorage
from scripe.emulator.posts import Posts
from scripe.emulator.received import Received
from scripe.emulator.routes import ROUTES, WORK
from scripe.emulator.settings import Options, Settings
from scripe.emulator.state import IN_MEMORY, Record, State, new_id
from scripe.emulator.storage import Storage, StorageRefusedError, refusal
from scripe.emulator.wire import JsonObject

if TYPE_CHECKING:
    from scripe import AsyncScripe, ResponseInfo, Scripe
    from scripe._http.in_process import Transport
    from scripe.emulator.mount import ClientOptions
    from scripe.emulator.page import Page
    from scripe.emulator.server import Server
else:
    globals().update(
        stand_ins(
            {
                "AsyncScripe": "scripe",
                "ResponseInfo": "scripe",
                "Scripe": "scripe",
                "Transport": "scripe._http.in_process",
                "ClientOptions": "scripe.emulator.mount",
                "Page": "scripe.emulator.page",
                "Server": "scripe.emulator.server",
            }
        )
    )

UNAVAILABLE = (OSError, sqlite3.OperationalError)
"""What a full disk, a database that another process holds, or a storage elsewhere may raise."""


class Emulator(Received):
    """A Scripe API of one's own; it serves many threads.

    Args:
        database: a path whose file survives a restart, with the uploads beside it, or ``:memory:``.
        clock: the time it goes by; the system's unless given.
        storage: where uploads go; its own unless given.
        options: everything else, see `Settings`.

    """

    def __init__(
        self,
        database: str | Path = IN_MEMORY,
        *,
        clock: Clock | None = None,
        storage: Storage | None = None,
        **options: Unpack[Options],
    ) -> None:
        settings, clock = Settings(**options), clock or Clock()
        state, scratch = State(database), tempfile.mkdtemp(prefix="scripe-emulator-")
        courier = Courier()
        self._close = weakref.finalize(self, _release, courier, state, scratch)
        self._own = None
        if storage is None:
            folder = Path(scratch if str(database) == IN_MEMORY else f"{database}.uploads")
            storage = self._own = OwnStorage(state, folder, _secret(state), clock.now, settings.expired_link)
        super().__init__(_assemble(settings, clock, state, storage, courier))
        self._api = Api(self._backend, ROUTES)
        self._observers: list[Callable[[Request, Response], None]] = []

    def __repr__(self) -> str:
        return f"<Emulator: {len(self.requests)} requests so far>"

    def observe(self, observer: Callable[[Request, Response], None]) -> None:
        """Tell a function of every request and its answer from now on, but for failures that were ordered."""
        self._observers.append(observer)

    def handle(self, request: Request) -> Response:
        """Answer one request; the caller loses or delays the answer as it says."""
        if not self._close.alive:
            raise RuntimeError("This emulator was closed.")
        request_id, arrival = new_id("req"), self._arrival()
        outcome, delay = self._faults.outcome(request), self._faults.delay(request)
        if isinstance(outcome, Failure):
            response = self._failed(outcome, request, request_id)
        else:
            response = self._answer(request, request_id)
            self._tell(request, response)
            response.dropped = outcome is not None
        response.delay += delay
        return self._note(request, response, arrival)

    def admit(self, request: Request) -> Response | None:
        """Refuse a PUT to storage by all but its body, None when the body is worth reading.

        A request that a fault waits for passes, so that `handle` meets the fault.
        """
        if self._own is None or not request.in_storage or self._faults.awaits(request):
            return None
        arrival = self._arrival()
        try:
            self._own.check(request)
        except StorageRefusedError as error:
            return self._note(request, error.response(), arrival)
        return None

    def refuse(self, request: Request, error: OSError) -> Response:
        """Answer a request whose body could not be kept, since a disk is full."""
        return self._note(request, self._unavailable(request, new_id("req"), error), self._arrival())

    def serve(self, port: int = 0, host: str = "127.0.0.1") -> "Server":
        """A loopback server, started by ``with`` or by its `start`; port 0 takes any free one.

        It serves the API at `Server.base_url`, and at `Server.page_url` a page to watch it with.

        Raises:
            MissingExtraError: a package of the ``emulator`` extra is not installed.

        """
        from scripe.emulator.server import Server

        def page_of(emulator: Emulator) -> "Page":
            from scripe.emulator.page import Inside, Page

            inside = Inside(emulator._backend, emulator._api.limiter, emulator._faults)
            return Page(emulator, inside, host)

        return Server(self, host, port, page_of)

    def client(
        self,
        api_key: "str | KeySource | None" = None,
        *,
        on_response: "Callback[ResponseInfo] | None" = None,
        **options: "Unpack[ClientOptions]",
    ) -> "Scripe":
        """A client of this emulator, in this process: it opens no port, and does not sleep but moves the clock on.

        Args:
            api_key: a key of `create_key`, or a function that returns one; one with all scopes unless given.
            on_response: told of each answer.
            options: as of `scripe.Scripe`.

        """
        from scripe.emulator import mount

        return mount.client(self, api_key, on_response, **options)

    def async_client(
        self,
        api_key: "str | AsyncKeySource | None" = None,
        *,
        on_response: "AsyncCallback[ResponseInfo] | None" = None,
        **options: "Unpack[ClientOptions]",
    ) -> "AsyncScripe":
        """An async client of this emulator, in this process: it opens no port, and does not sleep.

        Args:
            api_key: a key of `create_key`, or a function that returns one; one with all scopes unless given.
            on_response: told of each answer; a plain or a coroutine function.
            options: as of `scripe.AsyncScripe`.

        """
        from scripe.emulator import mount

        return mount.async_client(self, api_key, on_response, **options)

    def transport(self) -> "Transport":
        """A transport for a client of httpx or httpx2, sync or async, that ends at this emulator."""
        from scripe.emulator import mount

        return mount.transport(self)

    def close(self) -> None:
        """Close the database and delete what was kept for no restart; a second call does nothing."""
        self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _answer(self, request: Request, request_id: str) -> Response:
        try:
            if request.full_path == f"/{DESCRIPTION}":
                return _description(request, request_id)
            if not request.in_storage:
                return self._api.answer(request, request_id)
            if self._own is None:
                return refusal(404, "NoSuchKey", "The uploads of this emulator are stored elsewhere.")
            return self._own.put(request)
        except StorageRefusedError as error:
            return error.response()
        except UNAVAILABLE as error:
            return self._unavailable(request, request_id, error)

    def _unavailable(self, request: Request, request_id: str, error: Exception) -> Response:
        reason = f"The emulator cannot store or read what it should: {error}."
        if request.in_storage:
            return refusal(503, "ServiceUnavailable", reason)
        headers = self._api.common_headers(request_id)
        return failure(503, request_id, message=reason, headers=headers)

    def _failed(self, failure: Failure, request: Request, request_id: str) -> Response:
        response = failure.response(request, request_id)
        if request.in_api and failure.body is None:
            response.headers = self._api.common_headers(request_id) | response.headers
        return response

    def _tell(self, request: Request, response: Response) -> None:
        for observer in self._observers:
            request.body.seek(0)
            observer(request, response)


def _description(request: Request, request_id: str) -> Response:
    if request.method != "GET":
        return failure(405, request_id, headers={"Allow": "GET"})
    return Response(200, {"Content-Type": "application/json"}, read_data_file(DESCRIPTION))


def _release(courier: Courier, state: State, scratch: str) -> None:
    courier.stop()
    state.close()
    shutil.rmtree(scratch, ignore_errors=True)


def _secret(state: State) -> str:
    return state.set_setting_once("storage_secret", secrets.token_hex(20))


def _assemble(settings: Settings, clock: Clock, state: State, storage: Storage, courier: Courier) -> Backend:
    spending = Spending(state)
    events = Events(state, clock, settings.keep_requests, courier.send)

    def work(job: Record, moment: int) -> JsonObject:
        return WORK[str(job.fields["type"])](backend, job, moment)

    backend = Backend(
        settings=settings,
        clock=clock,
        state=state,
        access=Access(state, clock, settings),
        spending=spending,
        storage=storage,
        events=events,
        jobs=Jobs(state, clock, settings, spending, events, work),
        posts=Posts(state, clock, events),
        cursor_age=int(state.setting("cursor_age") or 0),
    )

    def look() -> None:
        with state.transaction():
            backend.settle()

    if settings.deliver:
        courier.start(look)
    return backend
