"""What may change only on purpose: each test makes a text again and compares it with the file that is kept beside it.

If a change is meant, `REWRITE_FROZEN=1 .venv/bin/pytest -q tests/frozen` writes the files again; read the difference
before you commit it.
"""

from __future__ import annotations

import difflib
import os
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
COMMAND = "REWRITE_FROZEN=1 .venv/bin/pytest -q tests/frozen"


def compare(name: str, text: str) -> None:
    """Compare a text with the file that is kept; write the file if the environment asks for it."""
    file, text = FOLDER / name, text.strip() + "\n"
    if os.environ.get("REWRITE_FROZEN"):
        file.write_text(text, encoding="utf-8")
    kept = file.read_text(encoding="utf-8")
    if text != kept:
        lines = difflib.unified_diff(
            kept.splitlines(), text.splitlines(), f"tests/frozen/{name}", "now", n=2, lineterm=""
        )
        pytest.fail("\n".join([*lines, "", f"If this change is meant: {COMMAND}"]), pytrace=False)
