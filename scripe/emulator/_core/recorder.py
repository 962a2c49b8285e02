"""Record the requests, for tests to assert on.

A path is given as in `/posts/*`: `*` stands for one part of it, `**` for any rest.
"""

import re
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import TypeAlias, cast
from urllib.parse import urlencode

from .canonical_json import Json, dumps
from .clock import Clock, real_seconds
from .messages import PREFIX, ReceivedRequest, Request, Response, summarize_exchange

MAX_SHOWN_REQUESTS = 50
MAX_SHOWN_BODIES = 3
MAX_SHOWN_BODY = 1_000
MAX_SHOWN_TEXT = 80
WIDTH = 120
ANY_PATH = "**"
ABSENT = object()


class RequestRecorder:
    """The newest requests, and assertions about them."""

    def __init__(self, clock: Clock, max_requests: int) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._requests: deque[ReceivedRequest] = deque(maxlen=max_requests)

    @property
    def requests(self) -> list[ReceivedRequest]:
        """The requests that were answered, in order."""
        with self._lock:
            return list(self._requests)

    def clear(self) -> None:
        """Forget the requests so far."""
        with self._lock:
            self._requests.clear()

    def arrival(self) -> tuple[datetime, float]:
        """Return the present time as that of an arrival: by the emulator's clock, and by the system's."""
        return self._clock.now(), real_seconds()

    def record(self, request: Request, response: Response, arrival: tuple[datetime, float]) -> Response:
        """Append a request, and return its response."""
        received_at, started = arrival
        received = summarize_exchange(request, response, received_at, real_seconds() - started)
        with self._lock:
            self._requests.append(received)
        return response

    def assert_sent(
        self,
        method: str,
        path: str,
        times: int | None,
        json: Mapping[str, object] | None,
        query: Mapping[str, str] | None,
    ) -> list[ReceivedRequest]:
        """Return the requests that match, or raise an AssertionError that shows how the others differ."""
        __tracebackhide__ = True
        received = self.requests
        candidates = [
            (request, _differences(request, json, query)) for request in _select(received, method, path)
        ]
        sent = [request for request, differences in candidates if not differences]
        if len(sent) != times if times is not None else not sent:
            expected = "at least once" if times is None else _times(times)
            actual = f"was sent {_times(len(sent))}" if sent else "was not sent"
            head = f"{method.upper()} {path} should have been sent {expected}; it {actual}."
            lines = [head, *_mismatch_lines(candidates, json, query), *_list_requests(received)]
            raise AssertionError("\n".join(lines))
        return sent

    def assert_nothing_sent(self, method: str | None, path: str) -> None:
        """Raise an AssertionError if a request matches."""
        __tracebackhide__ = True
        received = self.requests
        if _select(received, method, path):
            target = " ".join([*([method.upper()] if method else []), *([path] if path != ANY_PATH else [])])
            head = f"{target or 'Nothing'} should {'not ' if target else ''}have been sent."
            raise AssertionError("\n".join([head, *_list_requests(received)]))


def _select(received: Iterable[ReceivedRequest], method: str | None, path: str) -> list[ReceivedRequest]:
    pattern = _pattern(path)
    return [
        request
        for request in received
        if pattern.fullmatch(request.path) and (method is None or request.method == method.upper())
    ]


def _pattern(path: str) -> re.Pattern[str]:
    below = path.removeprefix(PREFIX)
    parts = re.split(r"(\*\*?)", below if below.startswith(("/", "*")) else f"/{below}")
    return re.compile("".join({"*": "[^/]+", ANY_PATH: ".*"}.get(part, re.escape(part)) for part in parts))


def _differences(
    request: ReceivedRequest, json: Mapping[str, object] | None, query: Mapping[str, str] | None
) -> list[str]:
    in_body = [] if json is None else _compare("", json, request.json)
    in_query = [] if query is None else _compare("?", query, request.query)
    return [
        *(_describe_mismatch(*mismatch, request.json) for mismatch in in_body),
        *(_describe_mismatch(*mismatch, request.query) for mismatch in in_query),
    ]


Mismatch: TypeAlias = tuple[str, object, object]
"""A name, the value expected under it, and the value sent."""


def _compare(name: str, expected: object, sent: object) -> list[Mismatch]:
    """List the fields in which a value differs from what is expected; it may have more of them."""
    if isinstance(expected, Mapping) and isinstance(sent, Mapping):
        fields = cast("Mapping[str, object]", sent)
        prefix = f"{name}." if name.strip("?") else name
        return [
            mismatch
            for key, value in cast("Mapping[str, object]", expected).items()
            for mismatch in _compare(f"{prefix}{key}", value, fields.get(key, ABSENT))
        ]
    if isinstance(expected, list | tuple) and isinstance(sent, list):
        items, sent_items = cast("Sequence[object]", expected), cast("Sequence[object]", sent)
        if len(items) == len(sent_items):
            pairs = enumerate(zip(items, sent_items, strict=True))
            return [mismatch for index, pair in pairs for mismatch in _compare(f"{name}[{index}]", *pair)]
    return [] if expected == sent else [(name, expected, sent)]


def _describe_mismatch(name: str, expected: object, sent: object, document: object) -> str:
    if sent is not ABSENT:
        return f"{name or 'the body'} was {_short(sent)}, not {_short(expected)}"
    spelling = f" (the API spells it {_camel_case(name)})" if "_" in name else ""
    return f"{name} was absent{spelling}, not {_short(expected)}{_other_places(name, document)}"


def _camel_case(name: str) -> str:
    head, *others = name.split("_")
    return head + "".join(word.capitalize() for word in others)


def _other_places(name: str, document: object) -> str:
    """Say where else a field of this name is, and its value there."""
    field = name.strip("?").rpartition(".")[2]
    places = [
        f"; {path} is {_short(value)}"
        for path, value in _fields("", document)
        if path.rpartition(".")[2] in (field, _camel_case(field))
    ]
    return "".join(places[:MAX_SHOWN_BODIES])


def _fields(path: str, value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, list):
        for index, item in enumerate(cast("list[object]", value)):
            yield from _fields(f"{path}[{index}]", item)
    if isinstance(value, Mapping):
        for name, item in cast("Mapping[str, object]", value).items():
            below = f"{path}.{name}" if path else name
            yield below, item
            yield from _fields(below, item)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= WIDTH else f"{text[:WIDTH]}…"


def _mismatch_lines(
    candidates: Iterable[tuple[ReceivedRequest, list[str]]],
    json: Mapping[str, object] | None,
    query: Mapping[str, str] | None,
) -> list[str]:
    """Describe how requests with the right method and path differ: each difference once, with the newest requests."""
    groups: dict[str, dict[str, None]] = {}
    for request, differences in candidates:
        if differences:
            lines = groups.setdefault(f"  But {', and '.join(differences)}.", {})
            lines |= dict.fromkeys([] if json is None else [f"  The body: {_abridge(request.json)}"])
            lines |= dict.fromkeys([] if query is None else [f"  The query: ?{urlencode(request.query)}"])
    return [
        line
        for difference, lines in groups.items()
        for line in (difference, *list(lines)[-MAX_SHOWN_BODIES:])
    ]


def _abridge(body: Json) -> str:
    text = dumps(_cut_texts(body)).decode()
    return text if len(text) <= MAX_SHOWN_BODY else f"{text[:MAX_SHOWN_BODY]}…"


def _cut_texts(value: Json) -> Json:
    """Shorten the texts in a value, so that all of its fields are seen."""
    if isinstance(value, dict):
        return {name: _cut_texts(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_cut_texts(item) for item in value]
    return f"{value[:MAX_SHOWN_TEXT]}…" if isinstance(value, str) and len(value) > MAX_SHOWN_TEXT else value


def _list_requests(received: list[ReceivedRequest]) -> list[str]:
    if not received:
        return ["Nothing was sent."]
    lines = [(line, len(list(same))) for line, same in groupby(_describe(request) for request in received)]
    dots = ["  …"] if len(lines) > MAX_SHOWN_REQUESTS else []
    shown = [
        f"  {line}{f', {_times(count)}' if count > 1 else ''}" for line, count in lines[-MAX_SHOWN_REQUESTS:]
    ]
    return ["Sent requests, in order:", *dots, *shown]


def _describe(request: ReceivedRequest) -> str:
    if not request.status:
        return f"{request.method} {request.path}, the connection was lost before the work"
    remark = (
        ", the response was lost" if request.connection_dropped else ", a replay" if request.replayed else ""
    )
    return f"{request.method} {request.path} -> {request.status}{remark}"


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")
