"""Hold the state of one run of a command: its options, its client, and what an error message must name."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Self, TypeAlias, TypeVar
from urllib.parse import urlsplit

from cyclopts import Parameter

from .._core.config import is_loopback, resolve_base_url
from .._core.idempotency import check_idempotency_key, new_idempotency_key
from ..errors import ConfigurationError, InvalidArgumentError
from .credential import CredentialChoice, choose_credential, make_credentials
from .input import read_api_key
from .notices import print_waits
from .output import write_stderr

if TYPE_CHECKING:
    from .. import Job, ResponseInfo, Scripe
    from .options import Options

T = TypeVar("T")
_JOB_PATH = re.compile(r"/jobs/([^/]+)")


class Session:
    """The state of a command, from before it runs until after its errors are reported."""

    def __init__(self, options: Options, words: Sequence[str] = ()) -> None:
        self.options = options
        self._words = words  # of the command line, without the options of every command
        self.idempotency_key: str | None = None  # of the write that the command makes, if it makes one
        self.pending_job_ids: list[str] = []  # of the jobs that the command waits for
        self.is_resumable: bool = False  # True if the same command goes on where it ended
        self._is_waiting = False
        self._is_bulk = False
        self._client: Scripe | None = None
        self._credential: CredentialChoice | None = None
        self._exit_stack = ExitStack()

    @property
    def client(self) -> Scripe:
        """The client, opened when it is first used."""
        if self._client is None:
            self._client = self._open_client()
        return self._client

    def _open_client(self) -> Scripe:
        from .. import Scripe

        options, profile = self.options, self.credential.profile
        if options.verbose or not self._is_bulk:
            self._exit_stack.enter_context(print_waits(options))
        client = Scripe(
            read_api_key(options.api_key_file) if profile is None else None,
            auth=None if profile is None else make_credentials(profile, options),
            base_url=options.base_url,
            allow_insecure=options.allow_insecure,
            workspace_id=options.workspace_id,
            timeout=options.timeout,
            total_timeout=options.total_timeout,
            on_response=self._on_response,
            app_info="scripe-cli",
            ledger=None if self._is_bulk else options.ledger,
        )
        return self._exit_stack.enter_context(client)

    @property
    def credential(self) -> CredentialChoice:
        """The credential that the client uses."""
        if self._credential is None:
            self._credential = choose_credential(self.options)
        return self._credential

    @property
    def profile(self) -> str | None:
        """The profile of the login that the client uses; None if it uses none, or was not opened."""
        return None if self._credential is None else self._credential.profile

    def enter(self, resource: AbstractContextManager[T]) -> T:
        """Open something that is closed when the command ends."""
        return self._exit_stack.enter_context(resource)

    @property
    def base_url(self) -> str:
        """The address of the API."""
        return resolve_base_url(self.options.base_url)

    @property
    def is_local(self) -> bool:
        """True if the API is on this machine: then it is an emulator."""
        return is_loopback(urlsplit(self.base_url).hostname or "")

    @property
    def shows_progress(self) -> bool:
        """True if calls that wait show bars on stderr; with `--json` stderr is for errors only."""
        return not self.options.no_progress and not self.options.json

    def set_idempotency_key(self, value: str | None) -> str:
        """Remember the idempotency key of the command's write, or a new one that an error message can name."""
        if value is None and self.options.ledger is not None:
            raise ConfigurationError("A ledger remembers a call by its key. Give --idempotency-key.")
        try:
            self.idempotency_key = new_idempotency_key() if value is None else check_idempotency_key(value)
        except InvalidArgumentError:
            raise InvalidArgumentError(
                "--idempotency-key takes 1 to 64 letters, digits, underscores and hyphens."
            ) from None
        return self.idempotency_key

    def start_waiting(self, *job_ids: str) -> None:
        """Remember that the command waits for these jobs, or for the first one that a response is about."""
        self._is_waiting = True
        self.pending_job_ids = list(job_ids)

    def start_bulk(self, *, is_resumable: bool) -> None:
        """Remember that the command is one of `scripe bulk`, which opens the ledger itself, and waits all the time."""
        self._is_bulk, self.is_resumable = True, is_resumable

    def require_ledger(self, *, exists: bool = True) -> Path:
        """Return the path of `--ledger`, which must have been given; the file must exist unless told otherwise."""
        path = self.options.ledger
        if path is None:
            raise ConfigurationError("Name the ledger with --ledger FILE.")
        if exists and not path.exists():
            raise ConfigurationError(f"The ledger {str(path)!r} does not exist. Check --ledger.")
        return path

    @property
    def command(self) -> str:
        """The command line, to be run again."""
        words = ["scripe", *self._words[:2]]
        for field in fields(self.options):
            value: object = getattr(self.options, field.name)
            if value != field.default:
                words += [f"--{field.name.replace('_', '-')}", *([] if value is True else [str(value)])]
        return shlex.join([*words, *self._words[2:]])

    def wait_for(self, job: Job, timeout: float) -> Job:
        """Wait for a job; after a timeout or Ctrl-C the message names it."""
        self.start_waiting(job.id)
        return self.client.jobs.wait(job, timeout=timeout, show_progress=self.shows_progress)

    def _on_response(self, response: ResponseInfo) -> None:
        job_path = _JOB_PATH.fullmatch(response.path)
        if self._is_waiting and job_path and not self.pending_job_ids:
            self.pending_job_ids = [job_path[1]]
        if self.options.verbose:
            write_stderr(
                f"{response.method} {response.path} {response.status_code} {response.request_id or '-'} "
                f"{response.elapsed * 1000:.0f} ms"
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._exit_stack.close()


CurrentSession: TypeAlias = Annotated[Session, Parameter(parse=False)]
