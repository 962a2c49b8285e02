"""`import scripe` loads nothing heavy, and names that do not exist are errors."""

from __future__ import annotations

import subprocess
import sys

import pytest

import scripe
import scripe.types
from scripe import _log

HEAVY = (
    "httpx",
    "httpx2",
    "pydantic",
    "tenacity",
    "asyncio",
    "anyio",
    "trio",
    "starlette",
    "uvicorn",
    "filelock",
    "platformdirs",
    "sqlalchemy",
)


def loaded_by(program: str) -> set[str]:
    """Top-level modules of a process that ran the program."""
    code = f"import sys\n{program}\nprint(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    return set(
        subprocess.run(
            [sys.executable, "-c", code], check=True, capture_output=True, text=True
        ).stdout.split()
    )


def test_import_loads_nothing_heavy() -> None:
    assert not loaded_by("import scripe").intersection(HEAVY)


def test_modules_of_the_package_are_there_without_an_import() -> None:
    assert "scripe" in loaded_by("import scripe; scripe.errors.ScripeError; scripe.types.Job")


def test_a_sync_client_does_without_tenacity_trio_and_the_emulator() -> None:
    found = loaded_by("import scripe; scripe.Scripe('scripe_sk_test_x')")
    assert not found.intersection({"tenacity", "trio", "starlette", "uvicorn"})


def test_the_engine_can_be_chosen() -> None:
    found = loaded_by("import os; os.environ['SCRIPE_HTTP'] = 'httpx2'\nimport scripe; scripe.Scripe('x')")
    assert "httpx2" in found
    assert "httpx" not in found


def test_every_exported_name_exists() -> None:
    for module in (scripe, scripe.types):
        for name in dir(module):
            assert getattr(module, name) is not None


@pytest.mark.parametrize("module", [scripe, scripe.types])
def test_a_name_that_does_not_exist_is_an_attribute_error(module: object) -> None:
    with pytest.raises(AttributeError, match="Scripeee"):
        getattr(module, "Scripeee")  # noqa: B009 - type checkers see the typo otherwise, as they should


def test_an_unknown_engine_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCRIPE_HTTP", "requests")
    with pytest.raises(scripe.ConfigurationError, match=r"SCRIPE_HTTP.*'requests'"):
        scripe.Scripe("scripe_sk_test_x")


def test_an_engine_that_is_not_installed_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCRIPE_HTTP", "httpx2")
    monkeypatch.setitem(sys.modules, "httpx2", None)
    with pytest.raises(scripe.ConfigurationError, match='"httpx2"'):
        scripe.Scripe("scripe_sk_test_x")


def test_the_log_is_turned_on_by_the_environment() -> None:
    program = (
        "import os, scripe; os.environ['SCRIPE_LOG'] = 'debug'\n"
        "try: scripe.Scripe('x', base_url='http://127.0.0.1:9', max_retries=0).health.check()\n"
        "except scripe.APIConnectionError: pass"
    )
    ran = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert "scripe DEBUG GET /health failed: ConnectError" in ran.stderr


def test_a_log_level_that_is_none_is_told_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(_log, "_warned", dict[str, object]())
    monkeypatch.setenv("SCRIPE_LOG", "verbose")
    for _ in range(2):
        scripe.Scripe("scripe_sk_test_x").close()
    assert caplog.messages == ["SCRIPE_LOG is 'verbose', so no log is printed. Set it to debug or info."]
