"""Answers that come twice, by their ids."""

from __future__ import annotations

from scripe._rules.echo import REMEMBERED, Echoes
from scripe.types.response_info import Headers


def told(request_id: str, **others: str) -> Headers:
    return Headers(
        [("X-Request-Id", request_id), *((name.replace("_", "-"), v) for name, v in others.items())]
    )


def is_echo(echoes: Echoes, headers: Headers, *, was_doubted: bool = False) -> bool:
    return echoes.is_echo(headers, was_doubted=was_doubted)


def test_an_id_that_came_before_is_an_echo() -> None:
    echoes = Echoes()
    assert [is_echo(echoes, told(each)) for each in ("req_1", "req_2", "req_1")] == [False, False, True]


def test_answers_without_an_id_are_none() -> None:
    echoes = Echoes()
    assert not any(is_echo(echoes, headers) for headers in [Headers([]), Headers([]), told(""), told("")])


def test_a_replay_may_tell_of_its_first_time() -> None:
    echoes = Echoes()
    assert not is_echo(echoes, told("req_1", Idempotent_Replayed="false"))
    assert not is_echo(echoes, told("req_1", Idempotent_Replayed="true"))
    assert is_echo(echoes, told("req_1", Idempotent_Replayed="false"))


def test_a_server_whose_ids_say_nothing_is_believed_after_one_call() -> None:
    echoes = Echoes()
    assert not is_echo(echoes, told("req_1"))
    assert is_echo(echoes, told("req_1"))
    assert not is_echo(echoes, told("req_1"), was_doubted=True)
    assert not is_echo(echoes, told("req_1"))


def test_an_echo_once_does_not_end_the_watch() -> None:
    echoes = Echoes()
    assert [is_echo(echoes, told(each)) for each in ("req_1", "req_1")] == [False, True]
    assert not is_echo(echoes, told("req_2"), was_doubted=True)
    assert is_echo(echoes, told("req_2"))


def test_memory_is_bounded() -> None:
    echoes = Echoes()
    for count in range(REMEMBERED + 1):
        assert not is_echo(echoes, told(f"req_{count}"))
    assert not is_echo(echoes, told("req_0"))
    assert is_echo(echoes, told(f"req_{REMEMBERED}"))
