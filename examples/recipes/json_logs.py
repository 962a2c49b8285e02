"""The log as JSON, a line each: `python -m examples.recipes.json_logs` shows it, on the emulator.

The standard library alone. What the SDK's records know beside their message has the prefix `scripe_`.
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import IO

PREFIX = "scripe_"


class JSONFormatter(logging.Formatter):
    """One JSON object a line: ts, level, logger, message; of calls method, path, status, request_id, ms, attempt."""

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
    """Print the SDK's log so, to stderr unless told otherwise: `logging.DEBUG` for a line a call."""
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
