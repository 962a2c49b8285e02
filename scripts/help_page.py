#!/usr/bin/env python3
"""Write the page of all commands, `scripe/cli/help.txt`, which `scripe --help` shows without loading them.

scripts/help_page.py           write it
scripts/help_page.py --check   fail if it is not in step with the commands
"""

from __future__ import annotations

import io
import os
import sys
from contextlib import redirect_stdout
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "scripe" / "cli" / "help.txt"
WIDTH = 79


def wanted() -> str:
    sys.path.insert(0, str(ROOT))
    from scripe.cli.app import app

    os.environ.update(COLUMNS=str(WIDTH), NO_COLOR="1")
    page = io.StringIO()
    with redirect_stdout(page):
        app.meta(["--help"])
    return "\n".join(line.rstrip() for line in page.getvalue().strip().splitlines()) + "\n"


def main() -> int:
    if "--check" not in sys.argv:
        PAGE.write_text(wanted(), encoding="utf-8")
        return 0
    in_step = PAGE.read_text(encoding="utf-8") == wanted()
    name = PAGE.relative_to(ROOT)
    print(
        f"{name} in step" if in_step else f"{name} is not in step with the commands: run scripts/help_page.py"
    )
    return 0 if in_step else 1


if __name__ == "__main__":
    sys.exit(main())
