"""What can go wrong between a client and a server: the table of faults.

`recovers` says that a call which may be repeated survives the fault when it happens once; `works` that the server did
what it was asked to; `is_final` that the fault is an answer which no one sends a call again after.
"""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from email.utils import formatdate

from tests.faults.proxy import Act, Exchange

ALWAYS = 1_000_000


@dataclass(frozen=True)
class Fault:
    """One row of the matrix.

    Attributes:
        name: what the report calls it.
        act: what the proxy does to a request.
        recovers: whether a call that may be repeated must come out right after it.
        times: how many requests it meets.
        on_connect: whether it meets connections rather than requests.
        refuses: seconds for which no one listens.
        over_tls: whether the client speaks TLS with the proxy.
        blocks_budget: whether the client is told to wait so long that its later calls do, too.
        is_silent: whether the client hears nothing, and no end.
        spares_storage: whether it meets the API alone: to a PUT it would be what storage says when all is well.

    """

    name: str
    act: Act | None
    recovers: bool = True
    times: int = 1
    on_connect: bool = False
    refuses: float = 0.0
    over_tls: bool = False
    blocks_budget: bool = False
    is_silent: bool = False
    spares_storage: bool = False


def _reset_before(exchange: Exchange) -> None:
    exchange.reset()


def _reset_in_request(exchange: Exchange) -> None:
    exchange.take(exchange.random.random())
    exchange.reset()


def _reset_instead_of_work(exchange: Exchange) -> None:
    exchange.take()
    exchange.reset()


def _reset_after_work(exchange: Exchange) -> None:
    exchange.forward()
    exchange.reset()


def _closed_after_work(exchange: Exchange) -> None:
    exchange.forward()
    exchange.close()


def _reset_in_answer(exchange: Exchange) -> None:
    exchange.send(_cut(exchange, exchange.forward()))
    exchange.reset()


def _closed_in_head(exchange: Exchange) -> None:
    head, _, _ = exchange.forward().partition(b"\r\n\r\n")
    exchange.send(_cut(exchange, head))
    exchange.close()


def _cut_body(exchange: Exchange) -> None:
    head, mark, body = exchange.forward().partition(b"\r\n\r\n")
    exchange.send(head + mark + body[: len(body) // 2])
    exchange.close()


def _black_hole(exchange: Exchange) -> None:
    exchange.take()
    exchange.hang()


def _black_hole_after_work(exchange: Exchange) -> None:
    exchange.forward()
    exchange.hang()


def _black_hole_in_answer(exchange: Exchange) -> None:
    exchange.send(_cut(exchange, exchange.forward()))
    exchange.hang()


def _trickle(exchange: Exchange) -> None:
    """A body of one byte at a time: never so slow that a read times out, and not done before the deadline.

    The head comes whole: a sync call that reads a trickled head is not bounded, as the docs say.
    """
    head, blank, body = exchange.forward().partition(b"\r\n\r\n")
    exchange.send(_with_length(head + blank, lambda length: str(len(body) * 1000 + 1000)))
    for byte in (body or b" ") * 1000:
        if exchange.is_over():
            exchange.close()
        exchange.send(bytes([byte]))
        time.sleep(0.25)


def _slow_but_whole(exchange: Exchange) -> None:
    answer = exchange.forward()
    step = len(answer) // 5 + 1
    for start in range(0, len(answer), step):
        exchange.send(answer[start : start + step])
        time.sleep(0.02)


def _length_too_large(exchange: Exchange) -> None:
    exchange.send(_with_length(exchange.forward(), lambda length: str(length + 10)))
    exchange.close()


def _length_too_small(exchange: Exchange) -> None:
    exchange.send(_with_length(exchange.forward(), lambda length: str(length // 2)))


def _length_absent(exchange: Exchange) -> None:
    exchange.send(_with_length(exchange.forward(), lambda length: ""))
    exchange.close()


def _length_absurd(exchange: Exchange) -> None:
    absurd = exchange.random.choice(["-1", "a few", "9" * 40, "1, 2"])
    exchange.send(_with_length(exchange.forward(), lambda length: absurd))
    exchange.close()


def _garbage(exchange: Exchange) -> None:
    exchange.forward()
    exchange.send(exchange.random.randbytes(500) + b"\r\n\r\n")
    exchange.close()


def _request_twice(exchange: Exchange) -> None:
    exchange.send(exchange.forward(times=2))


def _interim_answers(exchange: Exchange) -> None:
    interim = b"".join(b"HTTP/1.1 %d Wait\r\n\r\n" % status for status in (100, 102, 103))
    exchange.send(interim + exchange.forward())


def _many_interim_answers(exchange: Exchange) -> None:
    exchange.send(b"HTTP/1.1 102 Processing\r\n\r\n" * 500 + exchange.forward())


def _switching_protocols(exchange: Exchange) -> None:
    exchange.take()
    exchange.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: other\r\nConnection: Upgrade\r\n\r\n")
    exchange.close()


def _huge_header(exchange: Exchange) -> None:
    exchange.send(_with_field(exchange.forward(), b"X-Huge: " + b"x" * 1_000_000))
    exchange.close()


def _many_headers(exchange: Exchange) -> None:
    exchange.send(_with_field(exchange.forward(), b"\r\n".join(b"X-%d: x" % n for n in range(20_000))))
    exchange.close()


def _huge_error(exchange: Exchange) -> None:
    exchange.take()
    exchange.send(b"HTTP/1.1 500 Oh\r\nContent-Length: 100000000\r\n\r\n")
    for _ in range(100):
        exchange.send(b"x" * 1_000_000)


def _endless_error(exchange: Exchange) -> None:
    exchange.take()
    exchange.send(b"HTTP/1.1 500 Oh\r\nTransfer-Encoding: chunked\r\n\r\n")
    while not exchange.is_over():
        exchange.send(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")


def _wrong_encoding(exchange: Exchange) -> None:
    exchange.send(_with_field(exchange.forward(), b"Content-Encoding: gzip"))


def _bomb(exchange: Exchange) -> None:
    exchange.take()
    body = gzip.compress(b"\0" * 20_000_000)
    exchange.send(
        b"HTTP/1.1 500 Oh\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    )


def _broken_chunks(exchange: Exchange) -> None:
    exchange.forward()
    exchange.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n")
    exchange.close()


def _said(status: int, body: bytes, *fields: bytes) -> bytes:
    lines = [b"HTTP/1.1 %d Said" % status, b"Content-Length: %d" % len(body), *fields]
    return b"\r\n".join([*lines, b"", body])


def _instead(status: int, body: bytes = b"", *fields: bytes) -> Act:
    """An answer of someone on the way; the server sees nothing."""

    def act(exchange: Exchange) -> None:
        exchange.take()
        exchange.send(_said(status, body, *fields))

    return act


def _after_work(status: int, body: bytes = b"", *fields: bytes) -> Act:
    """The same, after the server did its work."""

    def act(exchange: Exchange) -> None:
        exchange.forward()
        exchange.send(_said(status, body, *fields))

    return act


def _dated(status: int, ahead: float) -> Act:
    def act(exchange: Exchange) -> None:
        exchange.take()
        moment = formatdate(time.time() + ahead, usegmt=True)
        exchange.send(_said(status, b"", b"Retry-After: " + moment.encode()))

    return act


def _cut(exchange: Exchange, raw: bytes) -> bytes:
    return raw[: exchange.random.randrange(1, len(raw))]


def _with_length(answer: bytes, length: Callable[[int], str]) -> bytes:
    head, mark, body = answer.partition(b"\r\n\r\n")
    kept = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"content-length:")]
    said = length(len(body))
    return b"\r\n".join([*kept, *([b"Content-Length: " + said.encode()] if said else [])]) + mark + body


def _with_field(answer: bytes, field: bytes) -> bytes:
    head, mark, body = answer.partition(b"\r\n\r\n")
    return head + b"\r\n" + field + mark + body


PORTAL = b"<html><title>Welcome to the airport</title></html>"
HTML = b"<html><h1>502 Bad Gateway</h1></html>"

ONCE: tuple[Fault, ...] = (
    Fault("refused", None, recovers=False, refuses=0.2),
    Fault("reset on connect", _reset_before, on_connect=True),
    Fault("reset before the request", _reset_before),
    Fault("reset in the request", _reset_in_request),
    Fault("reset instead of the work", _reset_instead_of_work),
    Fault("reset after the work", _reset_after_work),
    Fault("closed after the work", _closed_after_work),
    Fault("reset in the answer", _reset_in_answer),
    Fault("closed in the answer's head", _closed_in_head),
    Fault("body cut", _cut_body),
    Fault("black hole", _black_hole, is_silent=True),
    Fault("black hole after the work", _black_hole_after_work, is_silent=True),
    Fault("black hole in the answer", _black_hole_in_answer, is_silent=True),
    Fault("one byte at a time", _trickle, recovers=False),
    Fault("slow but whole", _slow_but_whole),
    Fault("length too large", _length_too_large),
    Fault("length too small", _length_too_small, recovers=False),
    Fault("length absent", _length_absent),
    Fault("length absurd", _length_absurd),
    Fault("garbage", _garbage),
    Fault("request twice", _request_twice, recovers=False),
    Fault("interim answers", _interim_answers),
    Fault("500 interim answers", _many_interim_answers),
    Fault("101", _switching_protocols, recovers=False),
    Fault("header of 1 MB", _huge_header),
    Fault("20,000 headers", _many_headers),
    Fault("500 with 100 MB", _huge_error),
    Fault("500 without end", _endless_error),
    Fault("500 of 20 MB in gzip", _bomb),
    Fault("encoding that is none", _wrong_encoding),
    Fault("broken chunks", _broken_chunks),
    Fault("200, empty", _instead(200), recovers=False, spares_storage=True),
    Fault(
        "200 of a portal",
        _instead(200, PORTAL, b"Content-Type: text/html"),
        recovers=False,
        spares_storage=True,
    ),
    Fault("200 of other JSON", _instead(200, b'{"hello": []}'), recovers=False, spares_storage=True),
    Fault("307 elsewhere", _instead(307, b"", b"Location: http://127.0.0.1:9/"), recovers=False),
    Fault("500", _instead(500)),
    Fault("502 in HTML", _instead(502, HTML, b"Content-Type: text/html")),
    Fault("503", _instead(503)),
    Fault("503, again in 0 s", _instead(503, b"", b"Retry-After: 0")),
    Fault("503, again at a date", _dated(503, 1.0)),
    Fault("503, again in -5 s", _instead(503, b"", b"Retry-After: -5")),
    Fault("503, again in 99999999 s", _instead(503, b"", b"Retry-After: 99999999"), recovers=False),
    Fault("504", _instead(504)),
    Fault("500 after the work", _after_work(500)),
    Fault("502 after the work", _after_work(502, HTML, b"Content-Type: text/html")),
    Fault("503 after the work", _after_work(503)),
    Fault("504 after the work", _after_work(504)),
    Fault("408", _instead(408)),
    Fault("429, again in 0 s", _instead(429, b"", b"Retry-After: 0")),
    Fault("429, again in 1 s", _instead(429, b"", b"Retry-After: 1")),
    Fault("429, again at a date", _dated(429, 1.0)),
    Fault("429", _instead(429), recovers=False, blocks_budget=True),
    Fault("429, again in -5 s", _instead(429, b"", b"Retry-After: -5"), recovers=False, blocks_budget=True),
    Fault(
        "429, again some day", _instead(429, b"", b"Retry-After: soon"), recovers=False, blocks_budget=True
    ),
    Fault(
        "429, again in 99999999 s",
        _instead(429, b"", b"Retry-After: 99999999"),
        recovers=False,
        blocks_budget=True,
    ),
    Fault("TLS cut in the handshake", _reset_before, on_connect=True, over_tls=True),
    Fault("TLS cut after the work", _closed_after_work, over_tls=True),
    Fault("TLS cut in the answer", _reset_in_answer, over_tls=True),
    Fault("TLS cut in the body", _cut_body, over_tls=True),
)

_LASTING = {
    "reset after the work",
    "black hole after the work",
    "garbage",
    "500 after the work",
    "503, again in 0 s",
    "504",
    "TLS cut in the body",
}

FAULTS: tuple[Fault, ...] = (
    *ONCE,
    *(
        replace(each, name=f"{each.name}, for ever", times=ALWAYS, recovers=False)
        for each in ONCE
        if each.name in _LASTING
    ),
)
