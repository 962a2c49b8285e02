"""Settling: responses that were lost, and all that may have happened before anybody looks."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import product

from scripe import Scripe, UnsettledWriteError

from .keys import Scenario, new_season
from .season import PAUSES, Loss, Season

Write = Callable[[Scripe, Season, str | None], object]
Event = Callable[[Season, Write], object]
LATER = datetime(2027, 1, 1, tzinfo=UTC)
SAMPLE = 200

WRITES: dict[Write, str] = {
    lambda client, season, key: client.sources.ingest(
        season.folder / "ep00.txt", project_id=season.project_id, idempotency_key=key
    ): "/sources",
    lambda client, season, key: client.sources.create_text(
        project_id=season.project_id, text="Ours.", idempotency_key=key
    ): "/sources",
    lambda client, season, key: client.notes.create(
        project_id=season.project_id, content="Ours.", idempotency_key=key
    ): "/notes",
    lambda client, season, key: client.posts.create(
        project_id=season.project_id, content="Ours.", idempotency_key=key
    ): "/posts",
    lambda client, season, key: client.posts.create(
        project_id=season.project_id, content="Ours.", scheduled_for=LATER, idempotency_key=key
    ): "/posts",
    lambda client, season, key: client.posts.generate_and_wait(
        project_id=season.project_id, text="Ours.", idempotency_key=key
    ): "/posts/generations",
    lambda client, season, key: client.knowledge.create_text(
        project_id=season.project_id, text="Ours.", name="Ours", idempotency_key=key
    ): "/knowledge",
}


def lose_after(season: Season, path: str) -> None:
    season.emulator.drop_next(method="POST", path=path)


def lose_before(season: Season, path: str) -> None:
    season.emulator.drop_next(before=True, method="POST", path=path)


def fail_at_gateway(season: Season, path: str) -> None:
    season.emulator.fail_next(502, body=b"Bad gateway", method="POST", path=path)


def do_alike(season: Season, write: Write) -> None:
    """Make an equal thing at the same time, without the ledger, as somebody else."""
    with season.emulator.client() as client:
        write(client, season, None)


def do_others(season: Season, write: Write) -> None:
    """Make other things at the same time, in all projects, as somebody else."""
    (season.folder / "theirs.md").write_text("Theirs.")
    with season.emulator.client() as client:
        for project in client.projects.list():
            client.posts.generate_and_wait(project_id=project.id, text="Theirs.")
            client.notes.create(project_id=project.id, content="Theirs.")
            client.sources.ingest(
                season.folder / "theirs.md", project_id=project.id, content_type="text/plain"
            )


def edit_posts(season: Season, write: Write) -> None:
    with season.emulator.client() as client:
        for post in client.posts.list(project_id=season.project_id):
            client.posts.update(post.id, content="Edited.")


def fail_jobs(season: Season, write: Write) -> None:
    for made in [made for ids in season.made.values() for made in ids if made.startswith("job_")]:
        with suppress(ValueError):  # it has ended
            season.emulator.fail(made)


def forget_jobs(season: Season, write: Write) -> None:
    season.emulator.clock.advance(timedelta(days=3))


def take_scopes(season: Season, write: Write) -> None:
    for path in ("/jobs", "/notes", "/posts", "/sources"):
        season.emulator.fail_next(403, "scope_missing", method="GET", path=path)


LOSSES = (lose_after, lose_before, fail_at_gateway)
EVENTS = (do_alike, do_others, edit_posts, fail_jobs, forget_jobs, take_scopes)  # in this order, if several


def scenarios(seed: int, seconds: float) -> Iterator[Scenario]:
    """Yield a sample of all combinations of one loss and one event, then of several for a number of seconds."""
    choose, until = random.Random(f"settle/{seed}"), time.monotonic() + 2 * seconds
    single = list(product(LOSSES, WRITES, (*EVENTS, None), PAUSES.values()))
    for lose, write, event, pause in choose.sample(single, SAMPLE):
        yield "one lost response", partial(run_one, write, [lose], [event] if event else [], pause)
    while time.monotonic() < until:
        events = sorted(choose.sample(EVENTS, choose.randint(2, 4)), key=EVENTS.index)
        losses = choose.choices(LOSSES, k=choose.randint(1, 3))
        write, pause = choose.choice(list(WRITES)), choose.choice(list(PAUSES.values()))
        yield "several lost responses and events", partial(run_one, write, losses, events, pause)


def run_one(
    write: Write,
    losses: Sequence[Callable[[Season, str], None]],
    events: Sequence[Event],
    pause: timedelta,
) -> Season:
    """Lose responses, let things happen, and look again: never a second bill, and in the end one thing."""
    route, path = f"POST {WRITES[write]}", WRITES[write]
    season = new_season(1, job_retention=2.0 if forget_jobs in events else None, run_seconds=60)
    season.is_checked = True

    def program(client: Scripe, *_: object) -> object:
        return write(client, season, "one")

    for lose in losses:
        lose(season, path)
    while season.emulator.unused_faults or not season.runs:
        season.run(program=program, max_retries=0)
    for event in events:
        event(season, write)
    season.emulator.clock.advance(pause)
    before = season.live(route, "one")
    error, _ = season.run(program=program)
    after = season.live(route, "one")
    if len(after) > max(1, len(before)):
        raise Loss(f"{before} became {after}: {error!r}")
    if error is not None:
        season.obey(error)
    season.emulator.clear_faults()
    season.finish(program)
    live, item = season.live(route, "one"), season.item("one")
    is_adopted = not live and item.result_id is not None and not isinstance(error, UnsettledWriteError)
    if len(live) != 1 and not is_adopted:
        raise Loss(f"{live} in the end: {item!r}, after {error!r}")
    return season
