"""The arguments of a generated post: its source, and how long the server may wait."""

from __future__ import annotations

import pytest

from scripe import NOT_GIVEN, InvalidArgumentError
from scripe._core.generation import check_status, check_wait_ms, generation_source


def test_a_post_is_written_from_exactly_one_thing() -> None:
    assert generation_source("Words.", None) == {"text": "Words."}
    assert generation_source("", None) == {"text": ""}  # the API judges
    assert generation_source(None, "note_1") == {"noteId": "note_1"}
    for text, note_id in ((None, None), ("Words.", "note_1"), (None, ""), (None, "..")):
        with pytest.raises(InvalidArgumentError):
            generation_source(text, note_id)


@pytest.mark.parametrize("good", [None, 0, 1, 25_000])
def test_the_api_takes_so_long_a_wait(good: int | None) -> None:
    assert check_wait_ms(good) == good


@pytest.mark.parametrize("bad", [-1, 25_001, True, 1.5, "5"])
def test_another_wait_is_refused(bad: int) -> None:
    with pytest.raises(InvalidArgumentError, match="wait_for_completion_ms"):
        check_wait_ms(bad)


def test_a_status_is_named_in_one_way() -> None:
    check_status("draft", NOT_GIVEN)
    check_status(NOT_GIVEN, "st_1")
    check_status(NOT_GIVEN, NOT_GIVEN)
    with pytest.raises(InvalidArgumentError, match=r"status_category.*status_id"):
        check_status("draft", "st_1")
