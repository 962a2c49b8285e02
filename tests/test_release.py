"""`scripts/release`: a dry run changes nothing and needs no git; a release sets version, changelog and tag."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scripe import __version__

ROOT = Path(__file__).parents[1]
COPIED = ("CHANGELOG.md", "pyproject.toml", "changelog.d", "scripe/_version.py", "scripts/release.py")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The files that a release reads and writes, without the repository's history."""
    for name in COPIED:
        target = tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, target)
        else:
            shutil.copy(ROOT / name, target)
    return tmp_path


def release(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "scripts/release.py", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, encoding="utf-8", check=False)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def make_repository(folder: Path) -> None:
    for command in (
        ["git", "init", "--quiet", "--initial-branch", "main"],
        ["git", "config", "user.name", "Releaser"],
        ["git", "config", "user.email", "releaser@example.com"],
        ["git", "add", "--all"],
        ["git", "commit", "--quiet", "--message", "Begin"],
    ):
        subprocess.run(command, cwd=folder, check=True)


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", *arguments], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


def test_a_dry_run_shows_the_changelog_and_changes_nothing(copy: Path) -> None:
    (copy / "changelog.d" / "7.added.md").write_text("`client.tags.list()`.")
    before = contents(copy)
    ran = release(copy, "9.0.0", "--dry-run")
    assert ran.returncode == 0, ran.stderr
    assert "client.tags.list()" in ran.stdout
    assert "v9.0.0" in ran.stdout
    assert contents(copy) == before


def test_a_dry_run_of_the_version_that_is_prepared_shows_its_section(copy: Path) -> None:
    text = (copy / "CHANGELOG.md").read_text(encoding="utf-8")
    prepared = f"## {__version__} — unreleased\n\n* One line.\n\n## 0.0.1\n\n* Another.\n"
    (copy / "CHANGELOG.md").write_text(text.partition("## ")[0] + prepared, encoding="utf-8")
    ran = release(copy, __version__, "--dry-run")
    assert ran.returncode == 0, ran.stderr
    assert "* One line." in ran.stdout
    assert "Another" not in ran.stdout


def test_a_release_is_one_commit_with_a_tag(copy: Path) -> None:
    (copy / "changelog.d" / "7.added.md").write_text("`client.tags.list()`.")
    make_repository(copy)
    ran = release(copy, "9.0.0")
    assert ran.returncode == 0, ran.stderr
    assert git(copy, "describe", "--tags") == "v9.0.0"
    assert git(copy, "status", "--porcelain") == ""
    assert '"9.0.0"' in (copy / "scripe" / "_version.py").read_text()
    changelog = (copy / "CHANGELOG.md").read_text(encoding="utf-8")
    assert changelog.index("## 9.0.0") < changelog.index("client.tags.list()") < changelog.index("## 0.1.0")
    assert not (copy / "changelog.d" / "7.added.md").exists()


def test_a_release_of_what_is_not_committed_is_refused(copy: Path) -> None:
    make_repository(copy)
    (copy / "CHANGELOG.md").write_text("Changed.")
    ran = release(copy, "9.0.0")
    assert ran.returncode == 1
    assert "nothing uncommitted" in ran.stderr


@pytest.mark.parametrize("version", ["9.0", "v9.0.0", "9.0.0rc1", "0.0.9"])
def test_a_version_that_cannot_be_next_is_refused(copy: Path, version: str) -> None:
    ran = release(copy, version, "--dry-run")
    assert ran.returncode == 1
    assert version in ran.stderr
