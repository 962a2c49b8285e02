import re
import subprocess
import sys
import uuid
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripe._core.idempotency import (
    attach_idempotency_key,
    check_idempotency_key,
    derive_idempotency_key,
    idempotency_key,
    new_idempotency_key,
)
from scripe.errors import InvalidArgumentError, NotFoundError

PARTS = st.one_of(
    st.text(alphabet="a1:\u00e9", max_size=4),
    st.binary(max_size=4),
    st.integers(-20, 20),
    st.booleans(),
    st.none(),
    st.floats(),
    st.dates(),
    st.datetimes(),
    st.uuids(),
)


@given(st.lists(PARTS, min_size=1, max_size=5))
def test_a_derived_key_is_always_of_the_form_that_the_api_knows(parts: list[object]) -> None:
    key = idempotency_key(*parts)
    assert len(key) == 43
    assert check_idempotency_key(key) == key


@given(st.lists(PARTS, min_size=1, max_size=5), st.lists(PARTS, min_size=1, max_size=5))
def test_only_the_same_parts_give_the_same_key(one: list[object], other: list[object]) -> None:
    def canonical(parts: list[object]) -> list[tuple[type, str]]:
        return [(type(part), repr(part)) for part in parts]

    assert (idempotency_key(*one) == idempotency_key(*other)) == (canonical(one) == canonical(other))


@given(st.text(alphabet="a1:", min_size=2, max_size=12), st.integers(0, 12), st.integers(0, 12))
def test_the_same_text_split_differently_gives_another_key(text: str, one: int, other: int) -> None:
    one, other = min(one, len(text)), min(other, len(text))
    keys = [idempotency_key(text[:cut], text[cut:]) for cut in (one, other)]
    assert (keys[0] == keys[1]) == (one == other)
    assert idempotency_key(text) not in keys


def test_a_part_cannot_pass_for_the_frame_of_two() -> None:
    assert idempotency_key("a", "b") != idempotency_key("astr:1:b")
    assert idempotency_key("astr:1:b") != idempotency_key("a", "b", "")


def test_a_derived_key_is_the_same_in_every_run_and_on_every_machine() -> None:
    assert idempotency_key("import", 7, None) == "5dVbtp-nZvKOFOfBDKRJkItPhrbOagkUShcY4BWHK9g"
    code = "from scripe import idempotency_key; print(idempotency_key('import', 7, None))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == idempotency_key("import", 7, None)


def test_every_documented_type_of_part_is_accepted() -> None:
    parts = [
        "é",
        b"\xff",
        1,
        1.5,
        True,
        None,
        date(2026, 5, 15),
        datetime(2026, 5, 15, tzinfo=UTC),
        uuid.UUID(int=1),
    ]
    assert len({idempotency_key(part) for part in parts}) == len(parts)
    assert idempotency_key(Path("talks") / "a.mp3") == idempotency_key(str(Path("talks") / "a.mp3"))
    assert idempotency_key("\ud800") != idempotency_key("\ud801")


def test_a_key_needs_a_part() -> None:
    with pytest.raises(InvalidArgumentError, match="idempotency_key"):
        idempotency_key()


@pytest.mark.parametrize("part", [object(), ["a"], {"a": 1}, bytearray(b"a"), 1j])
def test_a_part_without_a_stable_text_is_refused(part: object) -> None:
    with pytest.raises(InvalidArgumentError, match=type(part).__name__):
        idempotency_key("import", part)


def test_an_automatic_key_is_new_each_time_and_accepted() -> None:
    keys = {new_idempotency_key() for _ in range(100)}
    assert len(keys) == 100
    assert all(check_idempotency_key(key) == key for key in keys)


@pytest.mark.parametrize("key", ["a", "A-Z_0", "x" * 64])
def test_a_key_of_the_apis_form_is_accepted(key: str) -> None:
    assert check_idempotency_key(key) == key


@pytest.mark.parametrize(
    "key", ["", "x" * 65, "a b", "a\n", "\na", "é", "a.b", "a/b", "\uff11", "a\x00", None, 7, b"a"]
)
def test_a_key_that_the_api_would_silently_ignore_is_refused(key: object) -> None:
    with pytest.raises(InvalidArgumentError, match="idempotency_key"):
        check_idempotency_key(key)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


@given(st.text(max_size=70))
def test_exactly_the_apis_pattern_is_accepted(key: str) -> None:
    is_legal = re.match(r"^[A-Za-z0-9_-]{1,64}\Z", key) is not None
    try:
        check_idempotency_key(key)
    except InvalidArgumentError:
        assert not is_legal
    else:
        assert is_legal


def test_each_step_of_a_composite_has_its_own_key_the_same_in_every_rerun() -> None:
    assert derive_idempotency_key("mine", "upload") == derive_idempotency_key("mine", "upload")
    assert (
        len(
            {
                "mine",
                derive_idempotency_key("mine", "upload"),
                derive_idempotency_key("mine", "x"),
                derive_idempotency_key("other", "upload"),
            }
        )
        == 4
    )
    assert check_idempotency_key(derive_idempotency_key("x" * 64, "upload"))


def test_errors_of_a_step_carry_the_key_of_the_whole() -> None:
    error = NotFoundError("no project", status_code=404, idempotency_key="step")
    with pytest.raises(NotFoundError) as caught, attach_idempotency_key("whole"):
        raise error
    assert caught.value is error
    assert error.idempotency_key == "whole"


def test_what_a_callback_raises_reaches_the_caller_unchanged() -> None:
    error = KeyError("the caller's own")
    with pytest.raises(KeyError) as caught, attach_idempotency_key("whole"):
        raise error
    assert caught.value is error
    assert not hasattr(error, "idempotency_key")
    with attach_idempotency_key("whole"):
        pass
