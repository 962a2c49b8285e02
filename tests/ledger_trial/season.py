"""A season of recordings, the program that makes sources and posts of them, and what the emulator says was made."""

from __future__ import annotations

import json
import os
import signal
from collections import defaultdict
from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from scripe import (
    JobFailedError,
    Ledger,
    LedgerItem,
    Scripe,
    ScripeError,
    SpendCapExceededError,
    UnsettledWriteError,
    idempotency_key,
)
from scripe._ledger import store_of
from scripe.emulator import Clock, Emulator, Request, Response

HOUR = timedelta(hours=1)
PAUSES = {
    "at once": timedelta(),
    "after 20 minutes": timedelta(minutes=20),
    "after 22 h": 22 * HOUR,
    "after 25 h": 25 * HOUR,
    "after 46 h": 46 * HOUR,
    "after a month": timedelta(days=30),
}
LANGUAGES = ("de", "en")
SOURCES, GENERATIONS = "POST /sources", "POST /posts/generations"
MAX_RUNS = 60


def make_season(client: Scripe, project_id: str, folder: Path) -> None:
    """Be the program: a source of each recording, and a post of it in each language."""
    for file in sorted(folder.glob("*.txt")):
        source = client.sources.ingest(file, project_id=project_id, idempotency_key=file.stem)
        for language in LANGUAGES:
            client.posts.generate_and_wait(
                project_id=project_id,
                text=source.text_preview,
                language=language,
                idempotency_key=f"{file.stem}-{language}",
            )


class Loss(Exception):  # noqa: N818 - what a trial looks for
    """Something was made twice or not at all, or a person was told nothing of use."""


class Death(BaseException):
    """The process was killed: nothing runs after it, not even a `finally`."""


def kill_process() -> None:
    """Die as by `kill -9`."""
    os.kill(os.getpid(), signal.SIGKILL)


class Life:
    """One run of the program, in which something happens at a step: before or after a commit or a request.

    Args:
        client: The client that makes the steps.
        at: The number of the step.
        event: What happens.
        before_requests: False if it happens a step later than between a commit and the request that it allows.

    """

    def __init__(
        self, client: Scripe, at: int, event: Callable[[], object], *, before_requests: bool = True
    ) -> None:
        self.steps = 0
        self._at = at
        self._event = event
        self._before_requests = before_requests
        self._has_happened = self._is_dead = False
        assert client.ledger is not None
        store, transport = store_of(client.ledger), client._sender.session.transport()  # pyright: ignore[reportPrivateUsage]
        transaction, send = store._transaction, transport.send  # pyright: ignore[reportPrivateUsage]

        @contextmanager
        def step_and_commit() -> Generator[None]:
            self._step()
            with transaction():
                yield
            self._step()

        def step_and_send(*arguments: Any) -> object:
            self._step(is_before_request=True)
            outcome = send(*arguments)
            self._step()
            return outcome

        store.__dict__["_transaction"], transport.__dict__["send"] = step_and_commit, step_and_send

    def _step(self, *, is_before_request: bool = False) -> None:
        self.steps += 1
        is_now = 0 < self._at <= self.steps and (self._before_requests or not is_before_request)
        if is_now and not self._has_happened:
            self._has_happened = True
            try:
                self._event()
            except Death:
                self._is_dead = True
        if self._is_dead:
            raise Death


class Season:
    """The recordings, an emulator, and the runs of the program."""

    def __init__(self, folder: Path, recordings: int, **settings: Any) -> None:
        clock = settings.pop("clock", None) or Clock(datetime(2026, 5, 1, 9, tzinfo=UTC), frozen=True)
        self.emulator = Emulator(clock=clock, read_limit=10**6, write_limit=10**6, **settings)
        self.emulator.seed(jobs=1, start=datetime(2026, 4, 1, tzinfo=UTC))
        self.emulator.add_observer(self._record)
        self.project_id = self.emulator.project_id
        self.folder, self.path = folder, folder / "season.db"
        for number in range(recordings):
            (folder / f"ep{number:02}.txt").write_text(f"Recording {number}: what was said in it.")
        self.keys = {(SOURCES, file.stem) for file in folder.glob("*.txt")}
        self.keys |= {(GENERATIONS, f"{key}-{language}") for _, key in self.keys for language in LANGUAGES}
        self.made: dict[tuple[str, str], list[str]] = defaultdict(list)
        self.persons = self.runs = 0
        self.figures = ""  # of the scenario, if it counts any
        self.is_checked = False  # by the scenario itself

    def _record(self, request: Request, response: Response) -> None:
        """Remember what each idempotency key on the wire has made."""
        is_replay = response.headers.get("Idempotent-Replayed") == "true"
        if request.method == "POST" and 200 <= response.status < 300 and not is_replay:
            route = f"POST {request.path}"
            self.made[route, request.headers.get("idempotency-key", "")].append(
                json.loads(response.body)["data"]["id"]
            )

    def client(self, **options: Any) -> AbstractContextManager[Scripe]:
        return self.emulator.client(ledger=self.path, timeout=None, **options)

    def run(
        self,
        at: int = 0,
        event: Callable[[], object] = bool,
        program: Callable[[Scripe, str, Path], object] = make_season,
        before_requests: bool = True,
        **options: Any,
    ) -> tuple[BaseException | None, int]:
        """Run the program; return what ended it, and its steps."""
        self.runs += 1
        with self.client(**options) as client:
            life = Life(client, at, event, before_requests=before_requests)
            try:
                program(client, self.project_id, self.folder)
            except (ScripeError, Death) as error:
                return error, life.steps
        return None, life.steps

    def finish(self, program: Callable[[Scripe, str, Path], object] = make_season) -> None:
        """Run the program again and again, and do what its errors ask for, until it ends well."""
        for _ in range(MAX_RUNS):
            error, _ = self.run(program=program)
            if error is None:
                return
            self.obey(error)
        raise Loss(f"no end after {MAX_RUNS} runs")

    def obey(self, error: BaseException) -> None:
        """Do what a person would do about an error."""
        if isinstance(error, UnsettledWriteError):
            self._settle(error)
        elif isinstance(error, JobFailedError):
            self.emulator.clock.advance(HOUR)
            with Ledger(self.path) as ledger:
                if "tries again by itself" not in str(error):
                    ledger.retry(error.idempotency_key or "")
        elif isinstance(error, SpendCapExceededError):
            self.emulator.clock.advance(24 * HOUR)

    def _settle(self, error: UnsettledWriteError) -> None:
        """Look what was made, and say it; the candidates must name it."""
        with Ledger(self.path) as ledger:
            item = ledger.find(error.idempotency_key or "")
            if item is None:
                raise Loss(f"{error!r} names no item")
            if item.state == "sending":
                self.emulator.clock.advance(HOUR)  # a job still runs
                return
            self.persons += 1
            made = self.live(item.route, item.idempotency_key)
            if not made:
                ledger.settle(item.idempotency_key, send_again=True)
                return
            if error.candidates and made[0] not in error.candidates:
                raise Loss(f"{made} is not among the candidates of {error}")
            ledger.settle(item.idempotency_key, result_id=self.result(made[0]))

    def item(self, key: str) -> LedgerItem:
        """Return what the ledger knows of a key."""
        with Ledger(self.path) as ledger:
            item = ledger.find(key)
        if item is None:
            raise Loss(f"the ledger does not know {key!r}")
        return item

    def wire_keys(self, route: str, key: str) -> list[str]:
        return [key, *(idempotency_key("scripe.ledger/1", route, key, n) for n in range(1, MAX_RUNS))]

    def live(self, route: str, key: str) -> list[str]:
        """Return the jobs and things that an item's keys have made, without failed jobs."""
        ids = [made for wire_key in self.wire_keys(route, key) for made in self.made[route, wire_key]]
        return [made for made in ids if not made.startswith("job_") or self._status(made) != "FAILED"]

    def _status(self, job_id: str) -> str:
        return str(self._job(job_id)["status"])

    def _job(self, job_id: str) -> Mapping[str, Any]:
        services = self.emulator._services  # pyright: ignore[reportPrivateUsage] - the API may have forgotten the job
        services.jobs.advance_due()
        job = services.database.find("jobs", job_id)
        assert job is not None
        return job.fields

    def result(self, made: str) -> str:
        """Return the id of what a job has made."""
        if not made.startswith("job_"):
            return made
        return str(next(iter(self._job(made)["result"].values())))

    def check(self) -> None:
        """Raise unless each thing was made once, and the ledger has it."""
        if self.is_checked:
            return
        counts = {name: self.emulator.count(name) for name in ("sources", "posts")}
        sources = sum(1 for route, _ in self.keys if route == SOURCES)
        wanted = {"sources": sources, "posts": len(self.keys) - sources}
        if counts != wanted:
            raise Loss(f"{counts} instead of {wanted}")
        for route, key in sorted(self.keys):
            made, item = self.live(route, key), self.item(key)
            if len(made) != 1 or item.result_id != self.result(made[0]):
                raise Loss(f"{route} {key}: {made} were made, and the ledger has {item!r}")

    def describe(self) -> str:
        """Return the ledger and the writes, for the report of a loss."""
        with Ledger(self.path) as ledger:
            items = "\n".join(
                f"  {item.idempotency_key} {item.state} generation {item.generation} {item.job_id} {item.result_id} "
                f"{item.code or ''} {item.created_at:%d %H:%M:%S} {item.updated_at:%d %H:%M:%S}"
                for item in ledger.items()
            )
        writes = "\n".join(
            f"  {request.received_at:%d %H:%M:%S} {request.method} {request.path} {request.status} "
            f"{request.headers.get('idempotency-key')} {'replayed' if request.replayed else ''}"
            f"{'lost' if request.connection_dropped else ''}"
            for request in self.emulator.requests
            if request.method == "POST"
        )
        return f"ledger:\n{items}\nwrites:\n{writes}"
