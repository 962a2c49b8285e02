"""The arguments of webhook endpoints."""

from __future__ import annotations

import pytest

from scripe import InvalidArgumentError
from scripe._core.webhooks import KNOWN_EVENTS, check_events, check_url


def test_known_and_new_events_pass() -> None:
    assert check_events(["post.created", "brand.new"]) == ["post.created", "brand.new"]
    assert check_events("post.created") == ["post.created"]


@pytest.mark.parametrize("bad", [[], [""], ""])
def test_no_event_is_refused_with_those_there_are(bad: list[str]) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        check_events(bad)
    assert all(name in str(caught.value) for name in KNOWN_EVENTS)


def test_an_address_is_one_of_the_web() -> None:
    assert check_url("https://example.com/hook?a=1") == "https://example.com/hook?a=1"
    for bad in ("", "example.com", "mailto:a@b", "https://", "https://[bad"):
        with pytest.raises(InvalidArgumentError):
            check_url(bad)
