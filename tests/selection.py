"""Which tests run where: `-m engine` for what the second HTTP library runs too, `-m "not slow"` for the fast ones."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parent

ENGINE = (
    "_async/test_calls.py",
    "_async/test_odd_responses.py",
    "_async/test_options.py",
    "_async/test_real_servers.py",
    "_async/test_retries.py",
    "_async/test_secrets.py",
    "_async/test_upload_faults.py",
    "_async/test_uploads.py",
    "faults/test_faults.py",
    "hostile/test_memory_of_errors.py",
    "test_cancellation.py",
    "test_costs.py",
    "test_engines.py",
    "test_memory.py",
    "test_observability.py",
    "test_processes.py",
    "test_secret_hunt.py",
)
"""Files whose tests see the HTTP library: sockets, streams, exceptions, cancellation, its log, its cost.

All others see only what `scripe._http` makes of it: models, pages, polling, rules, the emulator, the command line.
"""

SLOW = (
    "_async/test_polling_stress.py",
    "cli/test_bulk_processes.py",
    "cli/test_command_line_docs.py",
    "cli/test_processes.py",
    "emulator/test_emulator_contract.py",
    "emulator/test_emulator_page_browser.py",
    "faults",
    "hostile",
    "oauth/test_store_check.py",
    "stateful",
    "test_costs.py",
    "test_docs_blocks.py",
    "test_docs_site.py",
    "test_editor.py",
    "test_memory.py",
    "testing",
)
"""Files and folders that start many processes, count to thousands, or need a browser, a language server or Sphinx."""


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Do not import the files that `-m` leaves out as a whole."""
    if not collection_path.name.startswith("test_"):
        return None
    name = name_of(collection_path)
    leaves_out = {"engine": name not in ENGINE, "not slow": name.startswith(SLOW)}
    return leaves_out.get(config.getoption("markexpr") or "") or None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    missing = [path for path in (*ENGINE, *SLOW) if not (ROOT / path).exists()]
    if missing:
        raise pytest.UsageError(f"tests/selection.py names files that are not there: {', '.join(missing)}")
    for item in items:
        if name_of(item.path) in ENGINE:
            item.add_marker("engine")
        if name_of(item.path).startswith(SLOW):
            item.add_marker("slow")


def name_of(path: Path) -> str:
    """Return the path from the folder of tests, a sync twin's as that of its source."""
    return path.relative_to(ROOT).as_posix().replace("_sync/", "_async/")
