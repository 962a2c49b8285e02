"""One client of the emulator, and whatever may happen between its calls.

`SCRIPE_STATEFUL_EXAMPLES=2000` tries longer.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import TypeAlias

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from scripe import (
    AuthenticationError,
    IdempotencyConflictError,
    NotCancellableError,
    Scripe,
    ScripeError,
)
from scripe.emulator import Emulator
from scripe.types import Job, Note, Post
from tests.stateful.model import Model, Walk

EXAMPLES = int(os.environ.get("SCRIPE_STATEFUL_EXAMPLES", "60"))

Write: TypeAlias = Callable[[Scripe, str, str, str], tuple[str, bool | None]]


def _source(client: Scripe, project: str, text: str, key: str) -> tuple[str, bool | None]:
    made = client.sources.create_text(project_id=project, text=text, idempotency_key=key)
    return made.id, made.last_response.idempotent_replayed


def _note(client: Scripe, project: str, text: str, key: str) -> tuple[str, bool | None]:
    made = client.notes.create(project_id=project, content=text, idempotency_key=key)
    return made.id, made.last_response.idempotent_replayed


def _post(client: Scripe, project: str, text: str, key: str) -> tuple[str, bool | None]:
    made = client.posts.create(project_id=project, content=text, idempotency_key=key)
    return made.id, made.last_response.idempotent_replayed


def _generation(client: Scripe, project: str, text: str, key: str) -> tuple[str, bool | None]:
    made = client.posts.generate(project_id=project, text=text, idempotency_key=key)
    return made.id, made.last_response.idempotent_replayed


def _document(client: Scripe, project: str, text: str, key: str) -> tuple[str, bool | None]:
    made = client.knowledge.create_text(text=text, name=text, idempotency_key=key)
    return made.id, made.last_response.idempotent_replayed


def _endpoint(client: Scripe, project: str, text: str, key: str) -> tuple[str, bool | None]:
    made = client.webhook_endpoints.create(
        name=text, url="https://example.com/hook", events=["post.created"], idempotency_key=key
    )
    return made.id, made.last_response.idempotent_replayed


WRITES: dict[str, tuple[Write, str, str]] = {
    "source": (_source, "/sources", "sources"),
    "note": (_note, "/notes", "notes"),
    "post": (_post, "/posts", "posts"),
    "generation": (_generation, "/posts/generations", "jobs"),
    "document": (_document, "/knowledge", "jobs"),
    "endpoint": (_endpoint, "/webhook-endpoints", "webhook_endpoints"),
}
KINDS = sorted({kind for _, _, kind in WRITES.values()})
LISTS = ("notes", "posts", "jobs")

FAULTS = st.lists(
    st.sampled_from(["drop", "500", "502", "503", "504", "408", "429", "429 soon", "503 soon"]), max_size=4
)
TEXTS = st.sampled_from(["Nobody buys features.", "A calmer Tuesday."])
KEYS = st.sampled_from(["first", "second", "third"])


def _too_many(faults: Sequence[str]) -> bool:
    """Whether a call may give up under these: two retries, but for those that wait for the budget, were not enough."""
    return sum(not fault.startswith("429") for fault in faults) > 2


class Schedule(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.emulator = Emulator(plan="ENTERPRISE", job_speed=0)
        self.key = self.emulator.api_key
        self.client = self.emulator.client(lambda: self.key)
        self.model = Model()
        seeded = self.emulator.seed(notes=7, posts=7, jobs=7, step=0)
        queued = self.emulator.seed(jobs=3, job_status="QUEUED")
        self.model.counts.update(notes=7, posts=7, jobs=10)
        self.model.jobs.update(
            dict.fromkeys(seeded.job_ids, "DONE") | dict.fromkeys(queued.job_ids, "QUEUED")
        )
        self.walks: list[tuple[Walk, Iterator[Note | Post | Job]]] = []

    def teardown(self) -> None:
        self.client.close()
        self.emulator.close()

    @rule(name=st.sampled_from(sorted(WRITES)), text=TEXTS, key=KEYS, faults=FAULTS)
    def write(self, name: str, text: str, key: str, faults: Sequence[str]) -> None:
        """Under faults, with a key that may be new, used, used for something else, or forgotten by now."""
        call, route, kind = WRITES[name]
        now = self.emulator.clock.now()
        expected = self.model.expects(route, key, text, now)
        before = self.emulator.count(kind)
        self._order(faults, route)
        try:
            record, replayed = call(self.client, self.emulator.project_id, text, key)
        except IdempotencyConflictError as error:
            assert expected == "conflict"
            assert error.idempotency_key == key
            return
        except ScripeError as error:
            assert _too_many(faults), f"{error!r} under {faults}"
            assert error.idempotency_key == key
            grown = self.emulator.count(kind) - before
            assert grown <= (expected == "new"), f"{grown} records of one {name}"
            if grown:
                self.model.made(route, key, text, now, kind, None)
            return
        finally:
            self._calm()
        assert expected != "conflict"
        used = self.model.keys.get((route, key))
        if expected == "new":
            self.model.made(route, key, text, now, kind, record)
        elif used is not None and used.record is None:
            used.record = record  # the answer of the first time was lost
            if kind == "jobs":
                self.model.jobs[record] = "QUEUED"
        else:
            assert used is not None
            assert used.record == record
            assert replayed

    @rule(hours=st.sampled_from([1, 7, 25]))
    def time_passes(self, hours: int) -> None:
        self.emulator.clock.advance(timedelta(hours=hours))

    @rule(kind=st.sampled_from(LISTS), page_size=st.integers(1, 3))
    def walk_begins(self, kind: str, page_size: int) -> None:
        walk = Walk([each.id for each in self._listed(kind, 200)])
        self.walks.append((walk, self._listed(kind, page_size)))

    @precondition(lambda self: self.walks)
    @rule(steps=st.integers(1, 5), faults=FAULTS)
    def walk_goes_on(self, steps: int, faults: Sequence[str]) -> None:
        """A step that raises can be made again: nothing is skipped."""
        walk, listed = self.walks.pop(0)
        for _ in range(steps):
            self._order(faults, "/")
            try:
                record = next(listed).id
            except StopIteration:
                walk.ends()
                return
            except ScripeError:
                assert _too_many(faults)
            else:
                walk.yields(record)
            finally:
                self._calm()
        self.walks.append((walk, listed))

    @rule(
        kind=st.sampled_from(LISTS),
        page_size=st.integers(1, 3),
        steps=st.lists(st.integers(1, 4), max_size=3),
    )
    def walk_meets_stale_cursors(self, kind: str, page_size: int, steps: Sequence[int]) -> None:
        """All in one go, with new records on the way."""
        self.walk_begins(kind, page_size)
        walk, listed = self.walks.pop()
        for count in steps:
            for _ in range(count):
                record = next(listed, None)
                if record is None:
                    break
                walk.yields(record.id)
            self.emulator.expire_cursors()
            self.emulator.seed(notes=1)
            self.model.counts["notes"] += 1
        for record in listed:
            walk.yields(record.id)
        walk.ends()

    @rule()
    def cursors_go_stale(self) -> None:
        self.emulator.expire_cursors()

    @precondition(lambda self: self.model.jobs)
    @rule(chosen=st.integers(0), end=st.sampled_from(["start", "finish", "fail", "odd"]))
    def job_moves(self, chosen: int, end: str) -> None:
        job = list(self.model.jobs)[chosen % len(self.model.jobs)]
        status = self.model.jobs[job]
        if status not in ("QUEUED", "RUNNING") or (end == "start" and status != "QUEUED"):
            return
        kind = self.client.jobs.retrieve(job).type
        if end == "start":
            self.emulator.start(job)
            self.model.jobs[job] = "RUNNING"
        elif end == "fail":
            self.emulator.fail(job)
            self.model.jobs[job] = "FAILED"
        else:
            self.emulator.finish(job, "COMPLETED" if end == "odd" else None)
            self.model.jobs[job] = "DONE"
            self.model.counts["posts"] += kind == "POST_GENERATION"

    @precondition(lambda self: self.model.jobs)
    @rule(chosen=st.integers(0), faults=st.one_of(st.just(["drop"]), FAULTS))
    def job_is_cancelled(self, chosen: int, faults: Sequence[str]) -> None:
        """With a lost answer, too: then the job itself says how it is."""
        job = list(self.model.jobs)[chosen % len(self.model.jobs)]
        was = self.model.jobs[job]
        self._order(faults, "/jobs")
        try:
            found = self.client.jobs.cancel(job)
        except NotCancellableError:
            assert was != "QUEUED"
        except ScripeError:
            assert was != "QUEUED" or list(faults) not in ([], ["drop"])
        else:
            assert found.is_cancelled
            assert was == "QUEUED" or (was == "CANCELLED" and faults)
        finally:
            self._calm()
        if was == "QUEUED" and self.client.jobs.retrieve(job).is_cancelled:
            self.model.jobs[job] = "CANCELLED"

    @precondition(lambda self: self.model.jobs)
    @rule(chosen=st.integers(0))
    def job_is_waited_for(self, chosen: int) -> None:
        ended = [
            job for job, status in sorted(self.model.jobs.items()) if status not in ("QUEUED", "RUNNING")
        ]
        chosen %= len(ended) + 1
        found = self.client.jobs.wait_all(ended[:chosen])
        assert [job.id for job in found] == ended[:chosen]
        assert sorted(job.id for job in self.client.jobs.as_completed(ended)) == sorted(ended)
        for job in found:
            assert job.is_succeeded == (self.model.jobs[job.id] == "DONE")

    @rule()
    def key_is_replaced(self) -> None:
        """The function that gives keys is asked again, once, and the call goes on."""
        self.emulator.revoke_key(self.key)
        self.key = self.emulator.create_key()
        self.client.workspaces.me()

    @rule()
    def key_is_revoked(self) -> None:
        self.emulator.revoke_key(self.key)
        try:
            self.client.workspaces.me()
        except AuthenticationError as error:
            assert error.code in ("key_revoked", "invalid_token")
        else:
            raise AssertionError("a revoked key was taken")
        self.key = self.emulator.create_key()
        self.client.workspaces.me()

    @invariant()
    def nothing_is_lost_or_doubled(self) -> None:
        assert {kind: self.emulator.count(kind) for kind in KINDS} == {
            kind: self.model.counts[kind] for kind in KINDS
        }

    def _order(self, faults: Sequence[str], path: str) -> None:
        for fault in faults:
            if fault == "drop":
                self.emulator.drop_next(path=path)
            else:
                status, _, soon = fault.partition(" ")
                self.emulator.fail_next(int(status), retry_after=1 if soon else None, path=path)

    def _calm(self) -> None:
        """What was ordered and did not come to pass is called off."""
        self.emulator.clear_faults()

    def _listed(self, kind: str, page_size: int) -> Iterator[Note | Post | Job]:
        project = self.emulator.project_id
        if kind == "notes":
            return iter(self.client.notes.list(project_id=project, page_size=page_size))
        if kind == "posts":
            return iter(self.client.posts.list(project_id=project, page_size=page_size))
        return iter(self.client.jobs.list(page_size=page_size))


def test_random_schedules_lose_and_double_nothing() -> None:
    run_state_machine_as_test(
        Schedule,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=40,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )
