"""Suites that use the plugin, each run as a user would, by a pytest of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

ROOT = Path(__file__).parents[2]
Run: TypeAlias = Callable[..., pytest.RunResult]
# The plugin by its name, whether or not it is installed; no other plugin; and every warning is an error.
ARGUMENTS = ("-p", "scripe.testing.plugin", "-p", "no:cacheprovider", "--strict-markers", "-W", "error")


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the text of a test file."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))

    def run_it(text: str, *more: str) -> pytest.RunResult:
        pytester.makepyfile(test_application=text)
        return pytester.runpytest_subprocess(*ARGUMENTS, *more, timeout=120)

    return run_it
