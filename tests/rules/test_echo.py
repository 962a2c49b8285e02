"""Answers that come twice, by their ids."""

from __future__ import annotations

from scripe._rules.echo import REMEMBERED, Echoes
from scripe.types.response_info import Headers


def told(request_id: str, **others: str) -> Headers:
    return Headers(
        [("X-Request-Id", request_id), *((name.replace("_", "-"), v) for name, v in others.items())]
    )


def test_an_id_that_came_before_is_an_echo() -> None:
    echoes = Echoes()
    assert [echoes.is_echo(told(each)) for each in ("req_1", "req_2", "req_1")] == [False, False, True]


def test_answers_without_an_id_are_none() -> None:
    echoes = Echoes()
    assert not any(echoes.is_echo(headers) for headers in [Headers([]), Headers([]), told(""), told("")])


def test_a_replay_may_tell_of_its_first_time() -> None:
    echoes = Echoes()
    assert not echoes.is_echo(told("req_1", Idempotent_Replayed="false"))
    assert not echoes.is_echo(told("req_1", Idempotent_Replayed="true"))
    assert echoes.is_echo(told("req_1", Idempotent_Replayed="false"))


def test_a_replay_that_came_twice_is_an_echo_once() -> None:
    """Each rerun with one key may tell the same id: it costs one more request, and then is believed."""
    echoes = Echoes()
    replay = told("req_1", Idempotent_Replayed="true")
    assert [echoes.is_echo(replay) for _ in range(4)] == [False, True, False, False]
    assert [echoes.is_echo(told("req_2")) for _ in range(2)] == [False, True]


def test_a_server_whose_ids_say_nothing_is_believed_after_one_doubt() -> None:
    echoes = Echoes()
    assert [echoes.is_echo(told("req_1")) for _ in range(5)] == [False, True, False, False, False]
    assert [echoes.is_echo(told("req_2")) for _ in range(2)] == [False, False]


def test_an_echo_once_does_not_end_the_watch() -> None:
    echoes = Echoes()
    assert [echoes.is_echo(told(each)) for each in ("req_1", "req_1", "req_2", "req_2")] == [False, True] * 2


def test_memory_is_bounded() -> None:
    echoes = Echoes()
    for count in range(REMEMBERED + 1):
        assert not echoes.is_echo(told(f"req_{count}"))
    assert not echoes.is_echo(told("req_0"))
    assert echoes.is_echo(told(f"req_{REMEMBERED}"))
