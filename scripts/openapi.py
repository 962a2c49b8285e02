#!/usr/bin/env python3
"""Format `scripe/emulator/openapi.json`, which is kept by hand: what fits in a line stands in one.

scripts/openapi.py           write it
scripts/openapi.py --check   fail if it is not formatted
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TypeAlias, cast

ROOT = Path(__file__).resolve().parent.parent
DESCRIPTION = ROOT / "scripe" / "emulator" / "openapi.json"
WIDTH = 110

JSON: TypeAlias = "dict[str, JSON] | list[JSON] | str | int | float | bool | None"


def format_json(node: JSON, indent: int = 0, label: str = "") -> str:
    """Return a node as text, after its label and to be followed by a comma."""
    line = label + json.dumps(node, ensure_ascii=False)
    if not isinstance(node, dict | list) or not node or indent + len(line) < WIDTH:
        return line
    inner = indent + 2
    if isinstance(node, dict):
        parts = [format_json(child, inner, f"{json.dumps(name)}: ") for name, child in node.items()]
    else:
        parts = [format_json(child, inner) for child in node]
    opening, closing = "{}" if isinstance(node, dict) else "[]"
    body = ",\n".join(" " * inner + part for part in parts)
    return f"{label}{opening}\n{body}\n{' ' * indent}{closing}"


def main() -> int:
    """Format the description, or check that it is formatted."""
    text = DESCRIPTION.read_text(encoding="utf-8")
    formatted = format_json(cast("JSON", json.loads(text))) + "\n"
    if "--check" not in sys.argv:
        DESCRIPTION.write_bytes(formatted.encode())
    elif text != formatted:
        print(f"{DESCRIPTION.relative_to(ROOT)} is not formatted: run scripts/openapi.py")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
