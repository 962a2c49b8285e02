"""What is measured, against what, and which ratio is meant to be reached."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from shutil import which

from benchmarks import programs, servers
from benchmarks.measuring import (
    THERE,
    Contender,
    Result,
    as_processes,
    can_count,
    in_batches,
    instructions,
)


@dataclass(frozen=True)
class Column:
    """One figure of a table: its name among the results, its head, how it is written."""

    name: str
    head: str
    form: str = "{:.0f}"


@dataclass(frozen=True)
class Table:
    """One table of the report.

    Attributes:
        title: of the table.
        about: what is measured, in a sentence.
        results: a line each.
        columns: their figures.
        ratio: the figure that is compared.
        base: label of the line that the others are divided by.
        less: label of the line that is taken off both before.
        goals: by label, what the ratio should be at most; at least, where `more_is_better`.
        more_is_better: whether the ratio is of speeds.

    """

    title: str
    about: str
    results: Sequence[Result]
    columns: Sequence[Column]
    ratio: str = "cpu"
    base: str = ""
    less: str = ""
    goals: Mapping[str, float] = field(default_factory=dict[str, float])
    more_is_better: bool = False

    def ratio_of(self, result: Result) -> float | None:
        named = {each.label: each for each in self.results}
        if self.base not in named or result.label == self.less:
            return None
        found = result.over(named[self.base], self.ratio, named.get(self.less))
        return 1 / found if self.more_is_better else found


@dataclass(frozen=True)
class Place:
    """Where the servers are, and how long each table may take."""

    base_url: str
    sink: str
    tls_sink: str
    trust: str
    file: Path
    md5: str
    page: Path
    quick: bool

    def rounds(self, count: int) -> int:
        return 3 if self.quick else count


HTTPX = Contender("httpx", "httpx", "plain_httpx", "get")
MICROSECONDS = (Column("wall", "wall, µs"), Column("cpu", "CPU, µs"))
MILLISECONDS = (Column("cpu", "CPU, ms"), Column("wall", "wall, ms"), Column("peak", "peak memory, MB"))


def imports(place: Place) -> Table:
    wanted = [
        ("nothing", "httpx", programs.BARE),
        ("httpx, pydantic, tenacity", "httpx", programs.STACK),
        ("scripe", "scripe", "import scripe"),
        ("openai", "openai", "import openai"),
        ("anthropic", "anthropic", "import anthropic"),
        ("stripe", "stripe", "import stripe"),
    ]
    contenders = [Contender(label, home, "", program) for label, home, program in wanted]
    return Table(
        "import",
        "A process that only imports. The ratio is of the CPU time beyond that of a process that imports nothing.",
        as_processes(contenders, [], rounds=place.rounds(7)),
        MILLISECONDS,
        base="openai",
        less="nothing",
        goals={"scripe": 1 / 20},
    )


def first_answers(place: Place) -> Table:
    wanted = [
        ("nothing", "httpx", programs.BARE, "httpx"),
        ("httpx + one pydantic model", "httpx", programs.PLAIN, "httpx"),
        ("scripe", "scripe", programs.SCRIPE, "httpx"),
        ("scripe on httpx2", "scripe-httpx2", programs.SCRIPE, "httpx2"),
        ("openai", "openai", programs.OPENAI, "httpx"),
        ("anthropic", "anthropic", programs.ANTHROPIC, "httpx"),
        ("stripe", "stripe", programs.STRIPE, "httpx"),
    ]
    contenders = [Contender(label, home, "", program, (), engine) for label, home, program, engine in wanted]
    return Table(
        "first response",
        "A process that imports, makes a client and one typed call, and exits.",
        as_processes(contenders, [place.base_url], rounds=place.rounds(9)),
        MILLISECONDS,
        base="httpx + one pydantic model",
        less="nothing",
        goals={"scripe": 1.2},
    )


def first_async_answers(place: Place) -> Table:
    wanted = [
        ("nothing", "httpx", programs.BARE, "httpx"),
        ("httpx + one pydantic model", "httpx", programs.PLAIN_ASYNC, "httpx"),
        ("scripe", "scripe", programs.SCRIPE_ASYNC, "httpx"),
        ("scripe on httpx2", "scripe-httpx2", programs.SCRIPE_ASYNC, "httpx2"),
    ]
    contenders = [Contender(label, home, "", program, (), engine) for label, home, program, engine in wanted]
    return Table(
        "first response, async",
        "The same with asyncio.",
        as_processes(contenders, [place.base_url], rounds=place.rounds(9)),
        MILLISECONDS,
        base="httpx + one pydantic model",
        less="nothing",
        goals={"scripe": 1.2},
    )


def peak_memory(first: Table) -> Table:
    """The memory of the processes of `first_answers`."""
    return Table(
        "memory of a process with a client and one call",
        "Peak memory of the processes of *first response*.",
        first.results,
        (Column("peak", "peak memory, MB"),),
        ratio="peak",
        base=first.base,
        goals={"scripe": 1.1},
    )


def second_client(place: Place) -> Table:
    contenders = [
        Contender("httpx", "httpx", "plain_httpx", "second_client"),
        Contender("scripe", "scripe", "with_scripe", "second_client"),
        Contender("scripe on httpx2", "scripe-httpx2", "with_scripe", "second_client", (), "httpx2"),
    ]
    return Table(
        "a second client in a process",
        "Made and ready to send. httpx loads the certificates for each client; scripe has one TLS context for all.",
        in_batches(contenders, [place.base_url], rounds=place.rounds(7), count=30),
        MICROSECONDS,
        base="httpx",
        goals={"scripe": 0.05},
    )


def single_calls(place: Place) -> Table:
    contenders = [
        HTTPX,
        Contender("httpx2", "httpx2", "plain_httpx", "get", (), "httpx2"),
        Contender("requests", "others", "plain_others", "requests_get"),
        Contender("scripe", "scripe", "with_scripe", "get"),
        Contender("scripe, another id each time", "scripe", "with_scripe", "get_others"),
        Contender("scripe, a login whose token lives", "scripe", "with_scripe", "get_with_login"),
        Contender("scripe on httpx2", "scripe-httpx2", "with_scripe", "get", (), "httpx2"),
        Contender(
            "scripe on httpx2, another id each time",
            "scripe-httpx2",
            "with_scripe",
            "get_others",
            (),
            "httpx2",
        ),
        Contender("openai", "openai", "with_openai", "get"),
        Contender("anthropic", "anthropic", "with_anthropic", "get"),
        Contender("stripe", "stripe", "with_stripe", "get"),
    ]
    return Table(
        "one GET of 600 bytes",
        "One after the other on a connection that stays open, into a typed object; with the same id each time, as when "
        "polling, or with another.",
        in_batches(contenders, [place.base_url], rounds=place.rounds(11), count=200),
        MICROSECONDS,
        base="httpx",
        goals={"scripe, another id each time": 1.15, "scripe on httpx2, another id each time": 1.15},
    )


def many_tasks(place: Place) -> Table:
    contenders = [
        Contender("httpx, one task", "httpx", "plain_httpx", "tasks", ("1",)),
        Contender("httpx", "httpx", "plain_httpx", "tasks", ("50",)),
        Contender("httpx2", "httpx2", "plain_httpx", "tasks", ("50",), "httpx2"),
        Contender("aiohttp", "others", "plain_others", "aiohttp_tasks", ("50",)),
        Contender("scripe", "scripe", "with_scripe", "tasks", ("50",)),
        Contender("scripe on httpx2", "scripe-httpx2", "with_scripe", "tasks", ("50",), "httpx2"),
        Contender("scripe over aiohttp", "scripe-aiohttp", "with_scripe", "tasks", ("50", "over_aiohttp")),
        Contender("openai", "openai", "with_openai", "tasks", ("50",)),
        Contender("openai over aiohttp", "openai", "with_openai", "tasks", ("50", "aiohttp")),
        Contender("anthropic over aiohttp", "anthropic", "with_anthropic", "tasks", ("50", "aiohttp")),
        Contender("stripe", "stripe", "with_stripe", "tasks", ("50",)),
    ]
    return Table(
        "the same GET, 50 tasks at once",
        "Per call, relative to `httpx.AsyncClient` with a single task, since its times with 50 tasks vary too much.",
        in_batches(contenders, [place.base_url], rounds=place.rounds(5), count=300 if place.quick else 1000),
        MICROSECONDS,
        base="httpx, one task",
        goals={"scripe on httpx2": 0.95, "scripe over aiohttp": 0.5},
    )


def pages(place: Place) -> Table:
    contenders = [
        Contender("pydantic", "httpx", "plain_httpx", "page"),
        Contender("pydantic, unknown fields kept", "httpx", "plain_httpx", "page_kept"),
        Contender("scripe", "scripe", "with_scripe", "page"),
        Contender("openai", "openai", "with_openai", "page"),
        Contender("anthropic", "anthropic", "with_anthropic", "page"),
        Contender("stripe", "stripe", "with_stripe", "page"),
    ]
    return Table(
        "a page of 200 jobs into objects",
        "From the bytes of the response, without the call.",
        in_batches(contenders, [str(place.page)], rounds=place.rounds(9), count=20),
        MICROSECONDS,
        base="pydantic",
        goals={"scripe": 1.1},
    )


def uploads(place: Place, *, tls: bool) -> Table:
    def contender(label: str, home: str, module: str, case: str) -> Contender:
        return Contender(label, home, module, case, (place.trust,) if tls else ())

    contenders = [
        contender("httpx, content=file", "httpx", "plain_httpx", "put"),
        contender("requests, data=file", "others", "plain_others", "requests_put"),
        contender("a socket, blocks of 1 MB", "others", "plain_others", "socket_put"),
        *([contender("curl", "others", "plain_others", "curl_put")] if which("curl") else []),
        contender("openai, files.create", "openai", "with_openai", "put"),
        contender("scripe", "scripe", "with_scripe", "put"),
        contender("scripe, async", "scripe", "with_scripe", "async_put"),
        contender("scripe, no MD5", "scripe", "with_scripe", "put_without_md5"),
        contender("scripe, async, no MD5", "scripe", "with_scripe", "async_put_without_md5"),
    ]
    wanted = (1.4, 1.2) if tls else (2.0, 0.85)
    return Table(
        f"PUT of {place.file.stat().st_size // 1_000_000} MB, {'https' if tls else 'http'}",
        "Speed relative to httpx's own way to send a file. The rows without MD5, which cannot be turned off, show what "
        "it costs.",
        in_batches(
            contenders,
            [place.tls_sink if tls else place.sink, str(place.file)],
            rounds=place.rounds(9),
            count=1,
            per_call=False,
            pinned=False,
            BENCH_MD5=place.md5,
        ),
        (
            Column("wall", "wall, s", "{:.3f}"),
            Column("cpu", "CPU, s", "{:.3f}"),
            Column("grown", "grown by, MB", "{:.1f}"),
        ),
        ratio="wall",
        base="httpx, content=file",
        goals=dict(zip(("scripe", "scripe, async"), wanted, strict=True)),
        more_is_better=True,
    )


def long_walks(place: Place) -> Table:
    contenders = [Contender("scripe", "scripe", "with_scripe", "walk")]
    found = in_batches(
        contenders, [place.base_url], rounds=1, count=servers.PAGES * servers.PER_PAGE, per_call=False
    )
    columns = (
        Column("cpu", "CPU, s", "{:.2f}"),
        Column("linear", "second half ÷ first half", "{:.2f}"),
        Column("grown", "grown in the second half, MB", "{:.1f}"),
    )
    return Table("a walk through 100,000 jobs", "Page by page, 500 pages.", found, columns)


def many_calls(place: Place) -> Table:
    contenders = [Contender("scripe", "scripe", "with_scripe", "many")]
    found = in_batches(contenders, [place.base_url], rounds=1, count=10_000, per_call=False)
    columns = (
        Column("grown", "grown by 10,000 calls, MB", "{:.1f}"),
        Column("grown_by_copies", "by 1,000 copies with a call each, MB", "{:.1f}"),
    )
    return Table("memory that calls and copies leave behind", "After a warm-up.", found, columns)


def waits(place: Place) -> Table:
    contenders = [
        Contender("one wait each", "scripe-emulator", "with_scripe", "waits", ("each",)),
        Contender("wait_all", "scripe-emulator", "with_scripe", "waits", ("together",)),
    ]
    columns = (
        Column("requests", "requests"),
        Column("cpu", "CPU, s", "{:.2f}"),
        Column("waited", "time until all had ended, s"),
    )
    found = in_batches(contenders, [], rounds=1, count=100 if place.quick else 1000, per_call=False)
    return Table(
        "waiting for 1,000 jobs" if not place.quick else "waiting for 100 jobs",
        "Against the emulator and its clock, within its rate limit of 120 reads a minute. The CPU time includes the "
        "emulator's.",
        found,
        columns,
        base="one wait each",
    )


def writes(place: Place) -> Table:
    contenders = [
        Contender("without a ledger", "scripe-emulator", "with_scripe", "writes"),
        Contender("with a ledger", "scripe-emulator", "with_scripe", "writes", ("ledger",)),
    ]
    return Table(
        "a write with an idempotency key",
        "To the emulator in the same process, whose time is included. The ledger's file is on a disk.",
        in_batches(contenders, [], rounds=place.rounds(7), count=50),
        MICROSECONDS,
        base="without a ledger",
    )


def counted_imports(_place: Place) -> Table:
    wanted = [
        ("nothing", "httpx", programs.BARE),
        ("httpx, pydantic, tenacity", "httpx", programs.STACK),
        ("scripe", "scripe", "import scripe"),
        ("openai", "openai", "import openai"),
        ("stripe", "stripe", "import stripe"),
    ]
    contenders = [Contender(label, home, "", program) for label, home, program in wanted]
    return Table(
        "instructions of an import",
        "Counted by valgrind, since counts repeat exactly and times do not.",
        instructions(contenders, []),
        (Column("instructions", "instructions, millions"),),
        ratio="instructions",
        base="openai",
        less="nothing",
        goals={"scripe": 1 / 20},
    )


def counted_calls(_place: Place) -> Table:
    wanted = [
        ("httpx + one pydantic model", "httpx", programs.PLAIN_CALLS, "httpx"),
        ("scripe", "scripe", programs.SCRIPE_CALLS, "httpx"),
        ("scripe on httpx2", "scripe-httpx2", programs.on_httpx2(programs.SCRIPE_CALLS), "httpx2"),
    ]
    contenders = [Contender(label, home, "", program, (), engine) for label, home, program, engine in wanted]
    few, more = instructions(contenders, ["50"]), instructions(contenders, ["150"])
    each = [
        Result(
            one.label,
            {"instructions": [(two.rounds["instructions"][0] - one.rounds["instructions"][0]) * 10]},
        )
        for one, two in zip(few, more, strict=True)
    ]
    return Table(
        "instructions of a call",
        "Over an in-process transport: the difference of 150 calls and 50.",
        each,
        (Column("instructions", "instructions, thousands"),),
        ratio="instructions",
        base="httpx + one pydantic model",
    )


def tables(only: str, told: Callable[[str], None], *, quick: bool) -> list[Table]:
    """All tables, or those whose name holds a word."""
    found: list[Table] = []

    def measured(measure: Callable[[Place], Table]) -> None:
        if only in measure.__name__:
            told(measure.__name__)
            found.append(measure(place))
            if measure is first_answers:
                found.append(peak_memory(found[-1]))

    def uploads_over_http(place: Place) -> Table:
        return uploads(place, tls=False)

    def uploads_over_https(place: Place) -> Table:
        return uploads(place, tls=True)

    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        place = _opened(stack, folder, quick=quick)
        for measure in (
            imports,
            first_answers,
            first_async_answers,
            second_client,
            single_calls,
            many_tasks,
            pages,
            uploads_over_http,
            uploads_over_https,
            long_walks,
            many_calls,
            waits,
            writes,
        ):
            measured(measure)
        if can_count() and not quick:
            measured(counted_imports)
            measured(counted_calls)
    return found


def _opened(stack: ExitStack, folder: Path, *, quick: bool) -> Place:
    file, page = folder / "recording.mp3", folder / "page.json"
    digest = hashlib.md5(usedforsecurity=False)
    with file.open("wb") as opened:
        for each in range(100 if quick else 500):
            block = bytes([each % 256]) * 1_000_000
            opened.write(block)
            digest.update(block)
    page.write_bytes(servers.page(0))
    own, trust = servers.certificate(folder)
    md5 = digest.hexdigest()
    answers = stack.enter_context(servers.running(servers.answers, THERE))
    sink = stack.enter_context(servers.running(servers.sink, None, md5, ""))
    tls_sink = stack.enter_context(servers.running(servers.sink, None, md5, own))
    return Place(
        base_url=f"http://127.0.0.1:{answers}/v1",
        sink=f"http://127.0.0.1:{sink}/upload",
        tls_sink=f"https://127.0.0.1:{tls_sink}/upload",
        trust=trust,
        file=file,
        md5=md5,
        page=page,
        quick=quick,
    )
