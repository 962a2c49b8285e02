"""What an emulator was sent: remembered, and asked about by tests.

A path is named as in ``/posts/*``: ``*`` stands for one part of it, ``**`` for any rest.
"""

import re
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import TypeAlias, cast
from urllib.parse import urlencode

from .canonical_json import Json, encode
from .clock import real_seconds
from .controls import Controls
from .messages import PREFIX, ReceivedRequest, Request, Response
from .services import Backend

SHOWN = 50
SHOWN_BODIES = 3
LONGEST_BODY = 1_000
LONGEST_TEXT = 80
WIDTH = 120
ANY = "**"
ABSENT = object()


class Received(Controls):
    """The requests that came in."""

    def __init__(self, backend: Backend) -> None:
        super().__init__(backend)
        self._requests: deque[ReceivedRequest] = deque(maxlen=backend.settings.keep_requests)
        self._requests_lock = threading.Lock()

    @property
    def requests(self) -> list[ReceivedRequest]:
        """All requests that came in and were answered, in order."""
        with self._requests_lock:
            return list(self._requests)

    def clear_requests(self) -> None:
        """Forget the requests that came in so far."""
        with self._requests_lock:
            self._requests.clear()

    def assert_sent(
        self,
        method: str,
        path: str,
        *,
        times: int | None = None,
        json: Mapping[str, object] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> list[ReceivedRequest]:
        """Assert that such a request came in, and return all that are meant, in order.

        Every request counts, one that was sent again after a fault too.

        Args:
            method: the HTTP method.
            path: the path below ``/v1``; in ``/posts/*`` the ``*`` stands for one part, ``**`` for any rest.
            times: how often; at least once unless given.
            json: fields that its body must have, by the API's names; it may have others, at any depth.
            query: parameters that its query must have; it may have others.

        Raises:
            AssertionError: it did not come in, or not so often. The message shows the bodies and queries in which
                something was otherwise, and lists what came in, in order.

        """
        __tracebackhide__ = True
        received = self.requests
        meant = _meant(received, method, path)
        wrong = [_differences(each, json, query) for each in meant]
        found = [each for each, differences in zip(meant, wrong, strict=True) if not differences]
        if len(found) != times if times is not None else not found:
            often = "at least once" if times is None else _often(times)
            was = f"was sent {_often(len(found))}" if found else "was not sent"
            head = f"{method.upper()} {path} should have been sent {often}; it {was}."
            raise AssertionError("\n".join([head, *_but(meant, wrong, json, query), *_listed(received)]))
        return found

    def assert_nothing_sent(self, method: str | None = None, path: str = ANY) -> None:
        """Assert that no request came in; or none with this method, or with a path like this.

        Args:
            method: the HTTP method; any unless given.
            path: the path below ``/v1``, as in `assert_sent`; any unless given.

        Raises:
            AssertionError: one came in; the message lists all that did, in order.

        """
        __tracebackhide__ = True
        received = self.requests
        if _meant(received, method, path):
            what = " ".join([*([method.upper()] if method else []), *([path] if path != ANY else [])])
            head = f"{what} should not have been sent." if what else "Nothing should have been sent."
            raise AssertionError("\n".join([head, *_listed(received)]))

    def _arrival(self) -> tuple[datetime, float]:
        return self.clock.now(), real_seconds()

    def _note(self, request: Request, response: Response, arrival: tuple[datetime, float]) -> Response:
        received_at, began = arrival
        received = ReceivedRequest.of(request, response, received_at, real_seconds() - began)
        with self._requests_lock:
            self._requests.append(received)
        return response


def _meant(received: Iterable[ReceivedRequest], method: str | None, path: str) -> list[ReceivedRequest]:
    wanted = _pattern(path)
    return [
        each
        for each in received
        if wanted.fullmatch(each.path) and (method is None or each.method == method.upper())
    ]


def _pattern(path: str) -> re.Pattern[str]:
    below = path.removeprefix(PREFIX)
    parts = re.split(r"(\*\*?)", below if below.startswith(("/", "*")) else f"/{below}")
    return re.compile("".join({"*": "[^/]+", ANY: ".*"}.get(part, re.escape(part)) for part in parts))


def _differences(
    received: ReceivedRequest, json: Mapping[str, object] | None, query: Mapping[str, str] | None
) -> list[str]:
    in_body = [] if json is None else _compared("", json, received.json)
    in_query = [] if query is None else _compared("?", query, received.query)
    return [
        *(_difference(*mismatch, received.json) for mismatch in in_body),
        *(_difference(*mismatch, received.query) for mismatch in in_query),
    ]


Comparison: TypeAlias = tuple[str, object, object]
"""A name, what was wanted under it, and what was found."""


def _compared(name: str, wanted: object, found: object) -> list[Comparison]:
    """In what the found is not what was wanted; it may hold more."""
    pairs = _pairs(name, wanted, found)
    if pairs is None:
        return [] if wanted == found else [(name, wanted, found)]
    return [each for pair in pairs for each in _compared(*pair)]


def _pairs(name: str, wanted: object, found: object) -> list[Comparison] | None:
    """What is compared one by one, by its name; None where two values are compared as they are."""
    if isinstance(wanted, Mapping) and isinstance(found, Mapping):
        theirs = cast("Mapping[str, object]", found)
        prefix = f"{name}." if name.strip("?") else name
        named = cast("Mapping[str, object]", wanted).items()
        return [(f"{prefix}{key}", value, theirs.get(key, ABSENT)) for key, value in named]
    if isinstance(wanted, list | tuple) and isinstance(found, list):
        ours, others = cast("Sequence[object]", wanted), cast("Sequence[object]", found)
        if len(ours) == len(others):
            return [(f"{name}[{place}]", one, others[place]) for place, one in enumerate(ours)]
    return None


def _difference(name: str, wanted: object, found: object, sent: object) -> str:
    was = f"absent{_spelled(name)}" if found is ABSENT else _short(found)
    places = _other_places(name, sent) if found is ABSENT else ""
    return f"{name or 'the body'} was {was}, not {_short(wanted)}{places}"


def _spelled(name: str) -> str:
    """Give the API's own spelling, where somebody has written a field as Python does."""
    return f" (the API spells it {_in_camel_case(name)})" if "_" in name else ""


def _in_camel_case(name: str) -> str:
    head, *others = name.split("_")
    return head + "".join(word.capitalize() for word in others)


def _other_places(name: str, sent: object) -> str:
    """Say where else a field of this name is, and what it holds."""
    field = name.strip("?").rpartition(".")[2]
    places = [
        f"; {path} is {_short(value)}"
        for path, value in _fields("", sent)
        if path.rpartition(".")[2] in (field, _in_camel_case(field))
    ]
    return "".join(places[:SHOWN_BODIES])


def _fields(path: str, value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, list):
        for place, item in enumerate(cast("list[object]", value)):
            yield from _fields(f"{path}[{place}]", item)
    if isinstance(value, Mapping):
        for name, item in cast("Mapping[str, object]", value).items():
            below = f"{path}.{name}" if path else name
            yield below, item
            yield from _fields(below, item)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= WIDTH else f"{text[:WIDTH]}…"


def _but(
    meant: Iterable[ReceivedRequest],
    wrong: Iterable[list[str]],
    json: Mapping[str, object] | None,
    query: Mapping[str, str] | None,
) -> list[str]:
    """Say once what spoke against those that had the right method and path, and show the newest of them."""
    sent: dict[str, dict[str, None]] = {}
    for received, differences in zip(meant, wrong, strict=True):
        if differences:
            lines = sent.setdefault(f"  But {', and '.join(differences)}.", {})
            lines |= dict.fromkeys([] if json is None else [f"  The body: {_abridge(received.json)}"])
            lines |= dict.fromkeys([] if query is None else [f"  The query: ?{urlencode(received.query)}"])
    return [line for but, lines in sent.items() for line in (but, *list(lines)[-SHOWN_BODIES:])]


def _abridge(body: Json) -> str:
    text = encode(_cut_texts(body)).decode()
    return text if len(text) <= LONGEST_BODY else f"{text[:LONGEST_BODY]}…"


def _cut_texts(value: Json) -> Json:
    """Return the value with its texts cut, so that all of its fields are seen."""
    if isinstance(value, dict):
        return {name: _cut_texts(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_cut_texts(item) for item in value]
    return f"{value[:LONGEST_TEXT]}…" if isinstance(value, str) and len(value) > LONGEST_TEXT else value


def _listed(received: list[ReceivedRequest]) -> list[str]:
    if not received:
        return ["Nothing was sent."]
    lines = [(line, len(list(same))) for line, same in groupby(_line(each) for each in received)]
    dots = ["  …"] if len(lines) > SHOWN else []
    shown = [f"  {line}{f', {_often(count)}' if count > 1 else ''}" for line, count in lines[-SHOWN:]]
    return ["What was sent, in order:", *dots, *shown]


def _line(received: ReceivedRequest) -> str:
    fate = ", the answer was lost" if received.dropped else ", a replay" if received.replayed else ""
    return f"{received.method} {received.path} -> {received.status}{fate}"


def _often(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")
