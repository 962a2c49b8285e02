"""Make a release: set the version, complete the changelog, commit, and tag.

scripts/release 0.2.0             do it, on a clean `main`
scripts/release 0.2.0 --dry-run   show what would be done, and change nothing

A version whose section stands in CHANGELOG.md as "unreleased" gets today's date; otherwise towncrier makes the section
of the fragments in `changelog.d`. Nothing is pushed: pushing the tag publishes the release.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VERSION_FILE = ROOT / "scripe" / "_version.py"
CHANGELOG = ROOT / "CHANGELOG.md"
FORM = re.compile(r"(\d+)\.(\d+)\.(\d+)")


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/release", description=__doc__)
    parser.add_argument("version", help="the version to release, such as 0.2.0")
    parser.add_argument("--dry-run", action="store_true", help="show what would be done, and change nothing")
    options = parser.parse_args()
    version: str = options.version
    text = VERSION_FILE.read_text(encoding="utf-8")
    current = re.findall(r'__version__ = "(.+)"', text)[0]
    changelog = CHANGELOG.read_text(encoding="utf-8")
    unreleased = f"## {version} — unreleased\n"
    problem = check(version, current, is_prepared=unreleased in changelog)
    if problem:
        print(problem, file=sys.stderr)
        return 1
    if options.dry_run:
        print(f"Would set the version from {current} to {version}.")
        print("Would complete CHANGELOG.md:\n")
        print(section(changelog, unreleased) or towncrier("--draft", "--version", version))
        print(f"Would commit this as “Release {version}” and tag it v{version}.")
        return 0
    if git("status", "--porcelain") or git("branch", "--show-current") != "main":
        print("A release is made on main, with nothing uncommitted. Commit or stash first.", file=sys.stderr)
        return 1
    VERSION_FILE.write_text(text.replace(f'"{current}"', f'"{version}"'), encoding="utf-8")
    if unreleased in changelog:
        today = datetime.now(tz=UTC).date()
        CHANGELOG.write_text(changelog.replace(unreleased, f"## {version} — {today}\n"), encoding="utf-8")
    else:
        towncrier("--yes", "--version", version)
    git("add", "--all")
    git("commit", "--quiet", "--message", f"Release {version}")
    git("tag", "--annotate", f"v{version}", "--message", f"scripe {version}")
    print(f"Tagged v{version}. To publish it: git push origin main v{version}")
    return 0


def check(version: str, current: str, *, is_prepared: bool) -> str | None:
    """Return what is wrong with a version, or None."""
    if not FORM.fullmatch(version):
        return f"{version!r} is not a version. Give three numbers, such as 0.2.0."
    if version == current and is_prepared:
        return None
    if numbers(version) <= numbers(current):
        return f"{version} is not newer than {current}, the version that the package has now."
    return None


def numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]


def section(changelog: str, heading: str) -> str:
    """Return the section below a heading, or nothing if there is none."""
    _, found, rest = changelog.partition(heading)
    return found + re.split(r"^## ", rest, maxsplit=1, flags=re.MULTILINE)[0].rstrip() if found else ""


def towncrier(*arguments: str) -> str:
    return run(sys.executable, "-m", "towncrier", "build", *arguments)


def git(*arguments: str) -> str:
    return run("git", *arguments)


def run(*command: str) -> str:
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
