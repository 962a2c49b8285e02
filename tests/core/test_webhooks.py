"""Webhook endpoints: what is refused before sending."""

from __future__ import annotations

import pytest

from scripe import InvalidArgumentError
from scripe._core.webhooks import KNOWN_EVENTS, address, events


def test_known_and_new_events_pass() -> None:
    assert events(["post.created", "brand.new"]) == ["post.created", "brand.new"]
    assert events("post.created") == ["post.created"]


@pytest.mark.parametrize("bad", [[], [""], ""])
def test_no_event_is_refused_with_those_there_are(bad: list[str]) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        events(bad)
    assert all(name in str(caught.value) for name in KNOWN_EVENTS)


def test_an_address_is_one_of_the_web() -> None:
    assert address("https://example.com/hook?a=1") == "https://example.com/hook?a=1"
    for bad in ("", "example.com", "mailto:a@b", "https://", "https://[bad"):
        with pytest.raises(InvalidArgumentError):
            address(bad)
