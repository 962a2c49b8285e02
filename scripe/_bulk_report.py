"""Report what came of a bulk run. The report reads the ledger, so that it takes no memory for each file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from itertools import islice
from pathlib import Path

from ._bulk_files import BulkFiles
from ._format import format_moment, shorten
from ._html import CELL, HEAD, IGNORED_BY_MATHJAX, Markup, concat, tag
from ._ledger import Ledger, store_of
from .errors import FilesFailedError
from .types.bulk import BulkFileStatus
from .types.ledger import ItemState

SHOWN = 20
"""How many files the printed report names."""

MAX_REASON = 200


class BulkReport:
    """The outcome of a bulk run. Printed, it names the first files that are not done.

    Attributes:
        ledger: Path of the ledger, which knows all files.
        project_id: `proj_…`, the project of the sources.
        run: Number of the run in the ledger.
        files: Files of the run.
        states: Files by state.
        duplicate_count: Files that have the content of another one, and share its source.
        cap_resets_at: When the spend cap is reset, if the run has stopped for it.

    """

    def __init__(self, files: BulkFiles, cap_resets_at: datetime | None) -> None:
        self.ledger: Path = files.store.path
        self.project_id: str = files.project_id
        self.run: int = files.run
        self.states: Mapping[ItemState, int] = {
            state: count for state, (count, _) in files.count_states().items()
        }
        self.files: int = sum(self.states.values())
        self.duplicate_count: int = files.count_duplicates()
        self.cap_resets_at: datetime | None = cap_resets_at

    @property
    def is_complete(self) -> bool:
        """True if all files are done."""
        return self.states.get("done", 0) == self.files

    def problems(self) -> Iterator[BulkFileStatus]:
        """Iterate over the files that are not done, in the order of their paths."""
        with Ledger(self.ledger) as ledger:
            yield from self._open(ledger).problems()

    def duplicates(self) -> Iterator[BulkFileStatus]:
        """Iterate over the files that have the content of another one."""
        with Ledger(self.ledger) as ledger:
            yield from self._open(ledger).duplicates()

    def to_records(self) -> list[dict[str, object]]:
        """Return the files that are not done as dicts, for `csv`, pandas or polars."""
        return [asdict(status) for status in self.problems()]

    def raise_for_failures(self) -> None:
        """Raise FilesFailedError unless all files are done."""
        if not self.is_complete:
            raise FilesFailedError(str(self))

    def _open(self, ledger: Ledger) -> BulkFiles:
        return BulkFiles(store_of(ledger), self.project_id, self.run)

    def _summary(self) -> str:
        counts = ", ".join(f"{count:,} {state}" for state, count in self.states.items()) or "nothing to do"
        shared = f"; {self.duplicate_count:,} have the content of another one" if self.duplicate_count else ""
        return f"{self.files:,} file{'s' * (self.files != 1)}: {counts}{shared}"

    def _advice(self) -> list[str]:
        advice: list[str] = []
        if self.cap_resets_at is not None:
            advice.append(
                f"The spend cap is reached until {format_moment(self.cap_resets_at)}. The same call goes on then."
            )
        elif self.states.keys() & {"planned", "stored", "sending", "submitted"}:
            advice.append("The same call goes on where this one ended.")
        if self.states.keys() & {"refused", "failed", "cancelled"}:
            advice.append(
                "Files that the API refused, or whose job failed, are tried again only by client.bulk.retry(…)."
            )
        if "unknown" in self.states:
            advice.append(
                "Nothing proves what came of those in state unknown: look for them in Scripe, then call "
                "ledger.settle(…) with their idempotency keys."
            )
        return advice

    def __repr__(self) -> str:
        return f"<BulkReport: {self._summary()}>"

    def __str__(self) -> str:
        shown = [_describe(status) for status in islice(self.problems(), SHOWN)]
        rest = self.files - self.states.get("done", 0) - len(shown)
        more = [f"  … and {rest:,} more, which report.problems() lists"] if rest > 0 else []
        return "\n".join([self._summary(), *shown, *more, *self._advice()])

    def _repr_html_(self) -> str:
        def row(name: str, cells: tuple[object, ...], style: str) -> Markup:
            written = (tag(name, shorten(str(cell or ""), MAX_REASON), style) for cell in cells)
            return tag("tr", concat(written), "background:transparent")

        problems = [
            row("td", (each.path, each.state, each.code, each.reason, each.request_id), CELL)
            for each in islice(self.problems(), SHOWN)
        ]
        head = row("th", ("path", "state", "code", "reason", "request id"), HEAD) if problems else ""
        parts = [
            tag("strong", self._summary()),
            tag("table", concat([head, *problems]), "margin:0"),
            *(tag("div", text) for text in self._advice()),
        ]
        return tag("div", concat(parts), **IGNORED_BY_MATHJAX)


def _describe(status: BulkFileStatus) -> str:
    request = f" (request {status.request_id})" if status.request_id else ""
    why = ": ".join(part for part in (status.code, status.reason) if part)
    return f"  {status.path}: {status.state}{', ' if why else ''}{shorten(why, MAX_REASON)}{request}"
