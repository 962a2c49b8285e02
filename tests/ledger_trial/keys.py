"""Keys that last: the program is killed at each step, or put to sleep, at any time, by itself or beside another one."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Protocol

from scripe import Scripe, ScripeError
from scripe.emulator import Emulator

from .season import HOUR, PAUSES, Death, Loss, Season


class Trial(Protocol):
    """What a scenario was tried on."""

    emulator: Emulator
    folder: Path
    runs: int
    persons: int
    figures: str

    def check(self) -> None: ...

    def describe(self) -> str: ...


Scenario = tuple[str, Callable[[], Trial | None]]


def new_season(recordings: int = 1, **settings: object) -> Season:
    return Season(Path(tempfile.mkdtemp(prefix="ledger-trial-")), recordings, **settings)


def die() -> None:
    raise Death


def scenarios(seed: int, seconds: float) -> Iterator[Scenario]:
    """Yield the scenarios of this part; the random ones for a number of seconds."""
    for name, pause in PAUSES.items():
        yield f"12 recordings, again {name}", partial(run_again, pause)
    yield "12 recordings, again when the spend cap is reset", run_under_a_spent_cap
    yield "5 posts, three nights under a spend cap", run_at_night
    _, steps = new_season().run(at=-1)
    for name, pause in PAUSES.items():
        for at in range(1, steps + 1):
            yield f"killed at each step, again {name}", partial(run_killed, at, pause)
    for at in range(1, steps + 1):
        yield "asleep for 25 h at each step", partial(run_asleep, at)
    number, until = 0, time.monotonic() + seconds
    while time.monotonic() < until:
        number += 1
        yield "3 recordings, anything that can happen", partial(run_at_random, f"{seed}/{number}")


def run_again(pause: timedelta) -> Season:
    """The table: a whole season, twice."""
    season = new_season(12)
    season.finish()
    season.emulator.clock.advance(pause)
    sent = sum(map(len, season.made.values()))
    season.finish()
    if sum(map(len, season.made.values())) != sent or season.runs != 2:
        raise Loss("the second run sent a write")
    return season


def run_under_a_spent_cap() -> Season:
    season = new_season(12)
    season.emulator.set_spend_remaining(105)
    season.finish()
    return season


def run_at_night() -> Season:
    """The recipe: the same posts each night, as many as the cap allows."""
    season = new_season(5)
    season.keys = {(route, key) for route, key in season.keys if key.endswith("-de") or "-" not in key}
    for _ in range(3):
        season.emulator.set_spend_remaining(35)
        season.run(program=make_german_posts)
        season.emulator.clock.advance(24 * HOUR)
    season.finish(make_german_posts)
    return season


def make_german_posts(client: Scripe, project_id: str, folder: Path) -> None:
    for file in sorted(folder.glob("*.txt")):
        client.sources.ingest(file, project_id=project_id, idempotency_key=file.stem)
        client.posts.generate_and_wait(
            project_id=project_id, text=file.read_text(), language="de", idempotency_key=f"{file.stem}-de"
        )


def run_killed(at: int, pause: timedelta) -> Season:
    season = new_season()
    error, _ = season.run(at, die)
    if not isinstance(error, Death):
        raise Loss(f"not killed at step {at}: {error!r}")
    season.emulator.clock.advance(pause)
    season.finish()
    return season


def run_asleep(at: int) -> Season:
    """A laptop is closed at a step, and opened the day after."""
    season = new_season()
    error, _ = season.run(at, partial(season.emulator.clock.advance, 25 * HOUR))
    if error is not None:
        season.obey(error)
    season.finish()
    return season


def run_at_random(seed: str) -> Season:
    """Runs that are killed, slept through, refused, unanswered; jobs that fail; things that are not found."""
    choose = random.Random(seed)
    jobs_are_kept = choose.choice([None, None, 2.0])
    season = new_season(3, run_seconds=choose.choice([4, 60]), job_retention=jobs_are_kept)
    emulator = season.emulator

    def fail_a_job() -> None:
        jobs = [made for ids in season.made.values() for made in ids if made.startswith("job_")]
        if jobs:
            try:
                emulator.fail(jobs[-1])
            except ValueError:
                return  # it has ended

    post = partial(choose.choice, ["/sources", "/posts/generations"])
    faults: list[Callable[[], object]] = [
        lambda: emulator.drop_next(method="POST", path=post()),
        lambda: emulator.drop_next(before=True, method="POST", path=post()),
        lambda: emulator.fail_next(choose.choice([500, 502, 503, 429, 422, 403]), method="POST", path=post()),
        lambda: emulator.fail_next(502, body=b"Bad gateway", method="POST", path=post()),
        lambda: emulator.fail_next(404, method="GET", path=choose.choice(["/sources/", "/posts/"])),
        lambda: emulator.set_spend_remaining(choose.choice([0, 5, 10, 15])),
        fail_a_job,
        lambda: emulator.clock.advance(choose.choice([1, 22, 25, 46, 24 * 30]) * HOUR),
        die,
    ]
    for _ in range(choose.randint(1, 6)):
        for fault in choose.sample(faults[:6], choose.randint(0, 2)):
            fault()
        # A machine that sleeps between the last look at the clock and the request, after a lost response, may send an
        # idempotency key that the API has forgotten: nothing can prevent that.
        event, retries = choose.choice(faults), choose.choice([0, 2])
        error, _ = season.run(
            choose.randint(1, 110), event, before_requests=event is die, max_retries=retries
        )
        if isinstance(error, ScripeError):
            season.obey(error)
        emulator.clock.advance(choose.choice(list(PAUSES.values())))
    emulator.clear_faults()
    season.finish()
    return season
