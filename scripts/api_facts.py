#!/usr/bin/env python3
"""Write the tables of docs/api-facts.md that list guesses and contradictions: they are those of `scripe/_facts.py`.

scripts/api_facts.py           write them
scripts/api_facts.py --check   fail if the page is not in step with the facts
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "api-facts.md"
TABLE = re.compile(r"(<!-- facts ([GOC]) -->\n).*?(<!-- end of facts -->)", re.DOTALL)
HEADS = {
    "G": ("", "Where the documentation is silent", "The clients", "The emulator", "Settled by"),
    "O": ("", "Where the documentation is silent", "The SDK", "The emulator", "Settled by"),
    "C": ("", "The pages say", "The SDK", "The emulator", "Settled by"),
}


def table(kind: str) -> str:
    sys.path.insert(0, str(ROOT))
    from scripe._facts import FACTS

    rows = [HEADS[kind], ("---",) * len(HEADS[kind])]
    rows += [
        (fact.id, fact.claim, fact.consequence, fact.assumed, fact.settled_by)
        for fact in FACTS
        if fact.id.startswith(kind)
    ]
    lines = [f"| {' | '.join(row)} |\n" for row in rows]
    return "".join(lines).replace("|  |", "| |").replace("| --- ", "|---").replace("--- |", "---|")


def page() -> str:
    return TABLE.sub(
        lambda match: f"{match[1]}\n{table(match[2])}\n{match[3]}", PAGE.read_text(encoding="utf-8")
    )


def main() -> int:
    wanted = page()
    if "--check" not in sys.argv:
        PAGE.write_text(wanted, encoding="utf-8")
        return 0
    in_step = PAGE.read_text(encoding="utf-8") == wanted
    name = PAGE.relative_to(ROOT)
    print(f"{name} in step" if in_step else f"{name} is not in step with the facts: run {sys.argv[0]}")
    return 0 if in_step else 1


if __name__ == "__main__":
    sys.exit(main())
