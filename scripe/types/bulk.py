"""Files of a bulk run, its plan and its progress."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from os import PathLike
from typing import Literal, TypeAlias

from .._format import format_long_duration, format_size
from .ledger import ItemState

Limit: TypeAlias = Literal["rate limit", "spend cap", "upload"]
"""What decides how long a bulk run takes."""

LEFT_OUT: Mapping[str, str] = {
    "duplicate": "with the content of another file",
    "unknown_type": "whose type is not known",
    "empty": "empty",
    "unreadable": "unreadable",
    "missing": "missing",
    "not_a_file": "pipes, sockets or devices",
    "name_not_text": "whose name is no text",
    "refused": "refused before",
}


@dataclass(frozen=True, slots=True)
class BulkFile:
    """A file for a bulk run, where its path alone does not say enough.

    Attributes:
        path: Its path.
        name: Name of its source. Default: the file's name.
        content_type: Its MIME type, such as `audio/mpeg`. Default: by the extension of its name.

    """

    path: str | PathLike[str]
    name: str | None = None
    content_type: str | None = None


@dataclass(frozen=True, slots=True)
class BulkFileStatus:
    """A file of a bulk run, and its state.

    Attributes:
        path: Its absolute path.
        state: `planned`, `stored`, `sending`, `submitted`, `done`, `refused`, `failed`, `cancelled` or `unknown`.
        size: Its size in bytes; None if it could not be read.
        code: Error code of a refusal or of a failed job.
        reason: Why it is not done, for people.
        request_id: Id of the request that was refused.
        source_id: `src_…`, once it is done.
        idempotency_key: The key of its content in the ledger, once it was read.
        same_as: The path of a file with the same content, which is sent in its place.

    """

    path: str
    state: ItemState
    size: int | None = None
    code: str | None = None
    reason: str | None = None
    request_id: str | None = None
    source_id: str | None = None
    idempotency_key: str | None = None
    same_as: str | None = None


@dataclass(frozen=True, slots=True)
class BulkProgress:
    """The progress of a bulk run. All counts are those of the ledger, so they hold after a restart too.

    Attributes:
        files: Files of the run, with those that are left out.
        bytes_total: Their bytes.
        states: Files by state.
        bytes_sent: Bytes of the files that are in storage, or further.
        bytes_per_second: Bytes that were sent in each second of the last minute.
        calls_per_minute: Calls of the API that the run may make in a minute.
        seconds_left: About how long it will take; None if that is not known yet.
        limited_by: What decides that: the rate limit, the spend cap, or the upload.
        waiting_until: When the spend cap is reset, if the run waits for it.
        cap_cents: The daily spend cap, once the API has named it.
        cents_per_file: The price of a file, once the API has named it.
        last_errors: The latest errors of files, at most three.

    """

    files: int
    bytes_total: int
    states: Mapping[ItemState, int]
    bytes_sent: int = 0
    bytes_per_second: float = 0.0
    calls_per_minute: int = 0
    seconds_left: float | None = None
    limited_by: Limit | None = None
    waiting_until: datetime | None = None
    cap_cents: int | None = None
    cents_per_file: int | None = None
    last_errors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BulkPlan:
    """The requests, time and money that a bulk run will take. Printed, it is a page of text.

    Attributes:
        project_id: `proj_…`, the project of the sources.
        workspace_name: Name of the workspace.
        plan: Its subscription plan.
        ledger: Path of the ledger; None if there is none yet.
        files: Files to send.
        size: Their bytes.
        folders: Folders that they are in.
        types: Files and bytes to send, by MIME type.
        left_out: Files that will not be sent, by reason.
        done: Files that the ledger knows as done, or as being worked on by the API.
        requests: About how many requests it sends.
        calls_per_minute: Calls that it makes in a minute, at most.
        rate_limit: The rate limit, in calls a minute.
        rate_limit_share: The part of it that the run uses.
        request_seconds: How long the requests take, at least.
        upload_seconds: How long the upload takes at 100 Mbit/s, which is assumed.
        cap_cents: The daily spend cap; None if none is known.
        cents_per_file: The lowest and the highest price of a file: a guess, until the API has named one.
        priced_files: Files whose price the API has named.
        cap_days: Days of spend cap that it takes, at least and at most; None without a cap.
        limited_by: What decides how long it takes.

    """

    project_id: str
    workspace_name: str | None
    plan: str | None
    ledger: str | None
    files: int
    size: int
    folders: int
    types: Mapping[str, tuple[int, int]]
    left_out: Mapping[str, int]
    done: int
    requests: int
    calls_per_minute: int
    rate_limit: int
    rate_limit_share: float
    request_seconds: float
    upload_seconds: float
    cap_cents: int | None
    cents_per_file: tuple[int, int]
    priced_files: int
    cap_days: tuple[int, int] | None
    limited_by: Limit
    requests_sent: tuple[str, ...] = field(default=("GET /workspaces/me",))

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> list[str]:
        ledger = f"ledger: {self.ledger}" if self.ledger else "ledger: none yet"
        folders = f"{self.folders:,} folder{'s' * (self.folders != 1)}"
        where = f" in “{self.workspace_name}”" if self.workspace_name else ""
        files = f"{self.files:,} file{'s' * (self.files != 1)}, {format_size(self.size)} in {folders}"
        lines = [f"{files} -> sources of {self.project_id}{where}   ({ledger})"]
        lines += [
            f"{count:>9,} {content_type:<24} {format_size(size):>9}"
            for content_type, (count, size) in sorted(self.types.items(), key=lambda item: -item[1][0])
        ]
        if self.done:
            lines.append(f"{self.done:>9,} more {_are(self.done)} done already, or being worked on")
        if self.left_out:
            reasons = ", ".join(
                f"{count:,} {LEFT_OUT.get(code, code)}"
                for code, count in sorted(self.left_out.items(), key=lambda item: -item[1])
            )
            count = sum(self.left_out.values())
            lines.append(f"{count:>9,} more {_are(count)} left out: {reasons}")
        lines += [
            self._line("Requests", f"{self.requests:,}", self._describe_requests(), "rate limit"),
            self._line("Spend cap", self._describe_cap(), "", "spend cap"),
            self._line(
                "Upload", format_long_duration(self.upload_seconds), "at 100 Mbit/s (assumed)", "upload"
            ),
            f"Nothing was sent but {', '.join(self.requests_sent)}.",
        ]
        return lines

    def _line(self, label: str, value: str, note: str, limit: Limit) -> str:
        takes_time = max(self.request_seconds, self.upload_seconds) >= 60 or (self.cap_days or (1, 1))[1] > 1
        mark = "    <- this decides" if self.limited_by == limit and takes_time else ""
        return f"{label:<12}  {value}{'  ' if note else ''}{note}{mark}"

    def _describe_requests(self) -> str:
        return (
            f"{format_long_duration(self.request_seconds)} at {self.calls_per_minute} a minute (share "
            f"{self.rate_limit_share:g} of {self.rate_limit}; less if writes have a limit of their own)"
        )

    def _describe_cap(self) -> str:
        plan = f"{self.plan}, " if self.plan else ""
        if self.cap_cents is None or self.cap_days is None:
            return f"{plan}none is known"
        low, high = self.cents_per_file
        price = f"{low} cents" if low == high else f"{low} to {high} cents"
        first, last = self.cap_days
        days = f"{first:,}" if first == last else f"{first:,} to {last:,}"
        days += " day" if last == 1 else " days"
        known = (
            f"as the API said of {self.priced_files:,} file{'s' * (self.priced_files != 1)}"
            if self.priced_files
            else "the first day tells"
        )
        return f"{plan}{self.cap_cents:,} cents a day: {days} at {price} a file; {known}"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"
