"""Take requests in and give responses out: the API, its storage, OAuth, faults on request, and a record of it all."""

import secrets
import shutil
import sqlite3
import tempfile
import weakref
from collections.abc import Callable
from datetime import timedelta
from email.utils import format_datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from .clock import Clock
from .data_files import DESCRIPTION, read_data_file
from .database import IN_MEMORY, Database, new_id
from .dispatcher import Dispatcher
from .errors import error_response, oauth_error_response
from .faults import Delay, Drop, Failure, Faults
from .messages import Headers, Request, Response
from .recorder import RequestRecorder
from .routes import JOB_HANDLERS, ROUTES
from .seeding import find_first_workspace
from .services import Services
from .settings import Settings
from .storage.base import Storage, StorageError, storage_error_response
from .storage.local import LocalStorage

if TYPE_CHECKING:
    from .oauth.authorization_server import AuthorizationServer

UNAVAILABLE = (OSError, sqlite3.OperationalError)
"""Raised by a full disk, a database that another process has locked, or a storage elsewhere."""


class Application:
    """Answers requests, from many threads.

    The database is a file that survives a restart, with the uploads beside it, or `:memory:`. Without a storage,
    uploads go to a folder of its own. The workspace and the API key are the first ones; the project is the newest that
    the workspace began with.
    """

    workspace_id: str
    api_key: str
    project_id: str

    def __init__(
        self, database_path: str | Path, clock: Clock, storage: Storage | None, settings: Settings
    ) -> None:
        self.clock: Clock = clock
        self.settings: Settings = settings
        self.simulated_latency = settings.simulated_latency
        # Called with each request and its response, which they may change.
        self.observers: list[Callable[[Request, Response], None]] = []
        database, scratch = Database(database_path), tempfile.mkdtemp(prefix="scripe-emulator-")
        # It closes the database and deletes temporary files, once: by itself when nobody refers to the application.
        self.close: weakref.finalize[[Database, str], Application] = weakref.finalize(
            self, _release, database, scratch
        )
        self._local_storage: LocalStorage | None = None
        if storage is None:
            folder = Path(scratch if str(database_path) == IN_MEMORY else f"{database_path}.uploads")
            secret_key = database.set_meta_once("storage_secret", secrets.token_hex(20))
            storage = self._local_storage = LocalStorage(
                database, folder, secret_key, clock.now, settings.expired_link
            )
        self.services: Services = Services(settings, clock, database, storage, JOB_HANDLERS)
        self.workspace_id, self.api_key, self.project_id = find_first_workspace(self.services)
        self.faults: Faults = Faults()
        self.recorder: RequestRecorder = RequestRecorder(clock, settings.max_recorded_requests)
        self._dispatcher = Dispatcher(self.services, ROUTES)

    @property
    def simulated_latency(self) -> float:
        """The seconds of the emulator's time that each response takes."""
        return self._simulated_latency

    @simulated_latency.setter
    def simulated_latency(self, seconds: float) -> None:
        if seconds < 0:
            raise ValueError(f"simulated_latency is {seconds}; give 0 or more seconds")
        self._simulated_latency = seconds

    @cached_property
    def oauth(self) -> "AuthorizationServer":
        """The OAuth 2.1 authorization server, loaded when it is first asked for."""
        from .oauth.authorization_server import AuthorizationServer

        return AuthorizationServer(self.services)

    def handle(self, request: Request) -> Response:
        """Answer a request; the caller drops or delays the response as it says."""
        if not self.close.alive:
            raise RuntimeError("This emulator was closed; make a new one, or close it later.")
        request_id, arrival = new_id("req"), self.recorder.arrival()
        fault, delay = self.faults.pop(request, Failure, Drop), self.faults.pop(request, Delay)
        if isinstance(fault, Failure):
            response = fault.response(request, request_id)
            if fault.body is None and (request.in_api or request.in_oauth):
                response.headers = self._common_headers(request, request_id) | response.headers
            self._add_date(response)
        elif isinstance(fault, Drop) and fault.before:
            response = Response(0, {}, b"", connection_dropped=True)
        else:
            response = self._respond(request, request_id)
            self._add_date(response)
            for observer in self.observers:
                request.body.seek(0)
                observer(request, response)
            response.connection_dropped = fault is not None
        response.delay += delay.seconds if delay else 0
        return self.recorder.record(request, response, arrival)

    def reject_early(self, request: Request) -> Response | None:
        """Return the error of an upload that is refused whatever its body is, None if the body is worth reading.

        A request that will meet a fault is not rejected here, so that `handle` meets the fault.
        """
        if self._local_storage is None or not request.in_storage or self.faults.would_match(request):
            return None
        arrival = self.recorder.arrival()
        try:
            self._local_storage.check(request)
        except StorageError as error:
            response = error.response()
            self._add_date(response)
            return self.recorder.record(request, response, arrival)
        return None

    def reject_unstored(self, request: Request, error: OSError) -> Response:
        """Return the error of a request whose body could not be stored, since a disk is full."""
        response = self._unavailable(request, new_id("req"), error)
        self._add_date(response)
        return self.recorder.record(request, response, self.recorder.arrival())

    def date(self, delay: float = 0.0) -> str:
        """Return the emulator's time in some seconds, as a `Date` header has it."""
        return format_datetime(self.clock.now() + timedelta(seconds=delay), usegmt=True)

    def _add_date(self, response: Response) -> None:
        """Date a response when it will leave, unless it has a date."""
        if "date" not in Headers(response.headers.items()):
            response.headers["Date"] = self.date(response.delay)

    def _respond(self, request: Request, request_id: str) -> Response:
        try:
            if request.full_path == f"/{DESCRIPTION}":
                return _describe(request, request_id)
            if request.in_oauth:
                return self.oauth.handle(request, request_id)
            if not request.in_storage:
                return self._dispatcher.handle(request, request_id)
            if self._local_storage is None:
                return storage_error_response(404, "NoSuchKey", "This emulator stores its uploads elsewhere.")
            return self._local_storage.put(request)
        except StorageError as error:
            return error.response()
        except UNAVAILABLE as error:
            return self._unavailable(request, request_id, error)

    def _unavailable(self, request: Request, request_id: str, error: Exception) -> Response:
        message = f"The emulator could not store or read its data: {error}."
        if request.in_storage:
            return storage_error_response(503, "ServiceUnavailable", message)
        headers = self._common_headers(request, request_id)
        if request.in_oauth:
            return oauth_error_response(503, description=message, headers=headers)
        return error_response(503, request_id, message=message, headers=headers)

    def _common_headers(self, request: Request, request_id: str) -> dict[str, str]:
        if request.in_oauth:
            return {"X-Request-Id": request_id}
        return self._dispatcher.common_headers(request_id)


def _describe(request: Request, request_id: str) -> Response:
    if request.method != "GET":
        return error_response(405, request_id, headers={"Allow": "GET"})
    return Response(200, {"Content-Type": "application/json"}, read_data_file(DESCRIPTION))


def _release(database: Database, scratch: str) -> None:
    database.close()
    shutil.rmtree(scratch, ignore_errors=True)
