"""Page walks through a simulated list, newest first, whose cursors can become invalid at any time."""

import pickle
import random
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripe._core.pagination import MAX_EMPTY_RESTARTS, PageWalk
from scripe.errors import APIResponseValidationError, BadCursorError
from scripe.types import Job, Model, Page, ResponseInfo
from scripe.types._base import set_response
from tests.core.examples import NOON, job, response
from tests.core.examples import job as made_job

JobPage = Page[Job]


def page(jobs: list[Job], cursor: str | None = None, *, more: bool | None = None) -> Page[Job]:
    has_more = cursor is not None if more is None else more
    return JobPage.model_validate({"data": jobs, "pagination": {"next_cursor": cursor, "has_more": has_more}})


class Server:
    """Serves pages of a list; `refuses` returns True if a cursor has become invalid."""

    def __init__(self, jobs: list[Job], size: int, refuses: Callable[[], bool] = lambda: False) -> None:
        self.jobs = sorted(jobs, key=lambda item: (item.created_at, item.id), reverse=True)
        self.size = size
        self.refuses = refuses
        self.answers = 0
        self.minted = 0
        self.cursors: dict[str, str] = {}

    def get(self, asked: dict[str, str]) -> Page[Job]:
        self.answers += 1
        start = 0
        if "cursor" in asked:
            if self.refuses():
                raise BadCursorError("stale", status_code=400, code="bad_cursor")
            last = self.cursors[asked["cursor"]]
            start = [item.id for item in self.jobs].index(last) + 1
        ids_seen = self.jobs[start : start + self.size]
        if start + self.size >= len(self.jobs):
            return page(ids_seen)
        self.minted += 1
        cursor = f"c{self.minted}"
        self.cursors[cursor] = ids_seen[-1].id
        return page(ids_seen, cursor)


def walk_ids(
    server: Server, cursor: str | None = None, walk: PageWalk[Job] | None = None
) -> Iterator[list[str]]:
    """Yield the ids of each page, as the pager reads them."""
    walk = walk or PageWalk[Job]({"limit": str(server.size)}, cursor)
    while (asked := walk.next_query()) is not None:
        try:
            ids_seen = server.get(asked)
        except BadCursorError:
            if not walk.restart():
                raise
            continue
        yield [item.id for item in walk.accept(ids_seen).data]


@given(
    moments=st.lists(st.integers(0, 6), max_size=40),
    size=st.integers(1, 7),
    seed=st.integers(0, 10_000),
)
@settings(max_examples=200)
def test_a_walk_yields_every_item_exactly_once_whatever_cursors_go_stale(
    moments: list[int], size: int, seed: int
) -> None:
    chance = random.Random(seed)
    jobs = [job(f"job_{number:02}", minute=moment) for number, moment in enumerate(moments)]
    refused_in_a_row = 0

    def refuses() -> bool:
        nonlocal refused_in_a_row
        stale = chance.random() < 0.3 and refused_in_a_row < 1
        refused_in_a_row = refused_in_a_row + 1 if stale else 0
        return stale

    server = Server(jobs, size, refuses)
    walk = PageWalk[Job]({})
    walk_was_futile = False
    ids_seen: list[str] = []
    try:
        for ids in walk_ids(server, walk=walk):
            ids_seen += ids
    except BadCursorError:
        walk_was_futile = True  # no new item in so many restarts
    expected = [item.id for item in server.jobs]
    assert ids_seen == (expected[: len(ids_seen)] if walk_was_futile else expected)


@given(
    moments=st.lists(st.integers(0, 3), min_size=2, max_size=30),
    size=st.integers(1, 5),
    arrivals=st.lists(st.integers(0, 30), max_size=3),
    stale_at=st.integers(1, 6),
)
def test_a_walk_with_one_stale_cursor_survives_new_items_and_yields_each_old_one_once(
    moments: list[int], size: int, arrivals: list[int], stale_at: int
) -> None:
    looks = 0

    def refuses() -> bool:
        nonlocal looks
        looks += 1
        if looks == stale_at:
            server.jobs[:0] = [job(f"new_{item}_{place}", minute=100) for place, item in enumerate(arrivals)]
            return True
        return False

    server = Server([job(f"job_{item:02}", minute=at) for item, at in enumerate(moments)], size, refuses)
    expected = [item.id for item in server.jobs]
    assert [item for ids in walk_ids(server) for item in ids] == expected


def test_a_walk_keeps_nothing_of_the_items_that_it_has_yielded() -> None:
    def size_after(pages: int) -> int:
        walk = PageWalk[Job]({})
        for number in range(pages):
            items = [job(f"job_{number}_{item}", minute=-(number * 50 + item)) for item in range(50)]
            walk.accept(page(items, f"cursor {number}"))
        return len(pickle.dumps(vars(walk)))

    assert (
        size_after(60) - size_after(10) < 50 * 20
    )  # bytes: for the cursors of 50 pages, not for their 2,500 items


def test_a_restart_in_the_middle_of_an_instant_skips_just_the_ids_seen_there() -> None:
    server = Server([job(f"job_{item:02}", minute=item // 3) for item in range(12)], 2, lambda: next(turns))
    turns = iter([False, False, True] + [False] * 20)
    assert [item for ids in walk_ids(server) for item in ids] == [item.id for item in server.jobs]


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_many_items_of_one_instant_are_distinguished_by_their_ids(size: int) -> None:
    server = Server([job(f"job_{item}") for item in range(9)], size, lambda: bool(turns.pop()))
    turns = [0] * 20 + [1, 0, 1, 0]
    assert [item for ids in walk_ids(server) for item in ids] == [item.id for item in server.jobs]


def test_has_more_says_whether_there_is_a_page_not_the_number_of_items() -> None:
    walk = PageWalk[Job]({"limit": "2"})
    assert walk.next_query() == {"limit": "2"}
    assert walk.accept(page([], "c1")).data == []
    assert walk.next_query() == {"limit": "2", "cursor": "c1"}
    walk.accept(page([job("a"), job("b")], "ignored", more=False))
    assert walk.next_query() is None


def test_filters_stay_identical_while_paging() -> None:
    server = Server([job(f"job_{item}", minute=item) for item in range(5)], 2)
    walk = PageWalk[Job]({"limit": "2", "status": "DONE"})
    while (asked := walk.next_query()) is not None:
        assert {name: text for name, text in asked.items() if name != "cursor"} == {
            "limit": "2",
            "status": "DONE",
        }
        walk.accept(server.get(asked))


def test_an_answer_without_pagination_is_one_page() -> None:
    walk = PageWalk[Job]({})
    assert len(walk.accept(JobPage(data=[job()])).data) == 1
    assert walk.next_query() is None


@pytest.mark.parametrize("cursor", [None, ""])
def test_has_more_without_a_cursor_is_an_invalid_response(cursor: str | None) -> None:
    with pytest.raises(APIResponseValidationError, match="has_more") as caught:
        PageWalk[Job]({}).accept(page([job()], cursor, more=True))
    assert caught.value.status_code == 200


def test_a_cursor_that_comes_back_is_refused() -> None:
    walk = PageWalk[Job]({})
    walk.accept(page([job("a", minute=2)], "c1"))
    walk.accept(page([job("b", minute=1)], "c2"))
    with pytest.raises(APIResponseValidationError, match="cursor"):
        walk.accept(page([job("c")], "c1"))
    with pytest.raises(APIResponseValidationError, match="cursor"):
        PageWalk[Job]({}, "c0").accept(page([job("a")], "c0"))


def test_the_error_of_an_invalid_page_has_its_request_id() -> None:
    told = ResponseInfo("GET", "/jobs", 206, response().headers, "req_7", None, None, None, 0.1, 1)
    with pytest.raises(APIResponseValidationError) as caught:
        PageWalk[Job]({}).accept(set_response(page([], more=True), told))
    assert (caught.value.status_code, caught.value.request_id) == (206, "req_7")


def test_after_a_restart_the_same_cursors_may_come_again() -> None:
    walk = PageWalk[Job]({})
    walk.accept(page([job("a", minute=2)], "c1"))
    assert walk.restart()
    assert walk.next_query() == {}
    assert walk.accept(page([job("a", minute=2)], "c1")).data == []


def test_a_page_after_a_restart_holds_only_what_is_new_and_says_where_it_came_from() -> None:
    told = ResponseInfo("GET", "/jobs", 200, response().headers, "req_7", None, None, None, 0.1, 1)
    walk = PageWalk[Job]({})
    walk.accept(page([job("a", minute=2)], "c1"))
    assert walk.restart()
    again = walk.accept(set_response(page([job("a", minute=2), job("b", minute=1)], "c2"), told))
    assert [item.id for item in again.data] == ["b"]
    assert again.last_response is told
    assert again.next_cursor == "c2"


def test_a_bad_cursor_of_the_callers_raises() -> None:
    assert not PageWalk[Job]({}, "given").restart()


def test_a_bad_response_to_the_first_page_is_not_restarted() -> None:
    assert not PageWalk[Job]({}).restart()


def test_a_walk_from_the_callers_cursor_restarts_without_yielding_what_came_before_it() -> None:
    jobs = [job(f"job_{item}", minute=item) for item in range(8)]
    server = Server(jobs, 2, lambda: stale.pop())
    stale = [False] * 10
    server.get({})
    stale = [False, False, False, True, False]
    assert [item for ids in walk_ids(server, "c1") for item in ids] == [
        "job_5",
        "job_4",
        "job_3",
        "job_2",
        "job_1",
        "job_0",
    ]


def test_a_walk_from_the_callers_cursor_that_has_yielded_nothing_cannot_restart() -> None:
    walk = PageWalk[Job]({}, "given")
    walk.accept(page([], "c1"))
    assert not walk.restart()


def test_three_restarts_without_progress_are_enough() -> None:
    server = Server([job(f"job_{item}", minute=item) for item in range(6)], 2, lambda: True)
    ids_seen: list[str] = []
    pages = walk_ids(server)
    ids_seen += next(pages)
    assert [next(pages) for _ in range(MAX_EMPTY_RESTARTS)] == [[], [], []]
    with pytest.raises(BadCursorError):
        next(pages)
    assert ids_seen == ["job_5", "job_4"]
    assert server.answers == 1 + 2 * MAX_EMPTY_RESTARTS + 1
    assert MAX_EMPTY_RESTARTS == 3


def test_progress_gives_a_walk_its_restarts_back() -> None:
    server = Server([job(f"job_{item}", minute=item) for item in range(30)], 2, lambda: next(turns))
    turns = iter([item for at in range(1, 16) for item in (False,) * at + (True,)] + [False] * 100)
    assert len([item for ids in walk_ids(server) for item in ids]) == 30


def test_items_without_an_instant_are_distinguished_by_their_ids() -> None:
    class Status(Model):
        id: str

    def statuses(*ids: str, cursor: str | None = None) -> Page[Status]:
        pages: dict[str, Any] = {"next_cursor": cursor, "has_more": cursor is not None}
        return Page[Status].model_validate({"data": [{"id": item} for item in ids], "pagination": pages})

    walk = PageWalk[Status]({})
    walk.accept(statuses("a", "b", cursor="c1"))
    walk.accept(statuses("c", cursor="c2"))
    assert walk.restart()
    assert [item.id for item in walk.accept(statuses("a", "b", "c", "d")).data] == ["d"]


def test_instants_are_compared_not_their_spelling() -> None:
    walk = PageWalk[Job]({})
    here = (NOON + timedelta(hours=2)).isoformat().replace("+00:00", "+02:00")
    walk.accept(page([job("a")], "c1"))
    assert walk.restart()
    again = made_job("a").model_copy(update={"created_at": made_job().created_at.fromisoformat(here)})
    assert walk.accept(page([again, job("b")])).data[0].id == "b"
