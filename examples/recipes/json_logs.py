"""Print the log as JSON, one object a line: `python -m examples.recipes.json_logs` shows it, on the emulator.

It needs only the standard library. The SDK's log records carry their values as attributes with the prefix `scripe_`.
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import IO

PREFIX = "scripe_"


class JSONFormatter(logging.Formatter):
    """Formats a record as one JSON object: ts, level, logger, message; for calls method, path, status, request_id, …"""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "ts": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        for name, value in vars(record).items():
            if name.startswith(PREFIX):
                line[name.removeprefix(PREFIX)] = value
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def log_as_json(level: int = logging.INFO, stream: IO[str] | None = None) -> logging.Handler:
    """Print the SDK's log as JSON, to stderr by default; `logging.DEBUG` prints a line for each call."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JSONFormatter())
    logger = logging.getLogger("scripe")
    logger.addHandler(handler)
    logger.setLevel(level)
    return handler


def main() -> None:
    from scripe.emulator import Emulator

    log_as_json(logging.DEBUG)
    with Emulator() as emulator, emulator.client() as client:
        emulator.fail_next(503)
        client.projects.list().to_list()


if __name__ == "__main__":
    main()
