"""An environment for each contender, so that none pays for, or gains from, what another one brings along."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / ".bench"

PACKAGES = {
    "httpx": ["httpx<1", "pydantic>=2,<3", "tenacity"],
    "httpx2": ["httpx2<3", "pydantic>=2,<3", "tenacity"],
    "others": ["aiohttp", "requests", "pydantic>=2,<3"],
    "openai": ["openai[aiohttp]"],
    "anthropic": ["anthropic[aiohttp]"],
    "stripe": ["stripe", "httpx<1"],
    "scripe": [f"{ROOT}"],
    "scripe-httpx2": [f"{ROOT}[httpx2]"],
    "scripe-aiohttp": [f"{ROOT}", "httpx-aiohttp[httpx2]"],
    "scripe-emulator": [f"{ROOT}[emulator]"],
}

SHOWN = (
    "httpx",
    "httpx2",
    "pydantic",
    "tenacity",
    "aiohttp",
    "requests",
    "openai",
    "anthropic",
    "stripe",
    "httpx-aiohttp",
)
"""Packages whose versions the report names."""


def python(name: str) -> str:
    return str(FOLDER / name / "bin" / "python")


def make() -> None:
    """Make those that are not there yet, or no longer as they should be."""
    FOLDER.mkdir(exist_ok=True)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(_make, PACKAGES))


def _make(name: str) -> None:
    stamp, wanted = FOLDER / name / "made-of", _fingerprint(name)
    if stamp.exists() and stamp.read_text() == wanted:
        return
    print(f"making the environment {name} …", file=sys.stderr)
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(FOLDER / name)], check=True)
    quiet = ["--quiet", "--disable-pip-version-check", "--no-input"]
    subprocess.run([python(name), "-m", "pip", "install", *quiet, *PACKAGES[name]], check=True)
    stamp.write_text(wanted)


def _fingerprint(name: str) -> str:
    digest = hashlib.sha256(repr((sys.version, PACKAGES[name])).encode())
    if name.startswith("scripe"):
        for path in [ROOT / "pyproject.toml", *sorted((ROOT / "scripe").rglob("*.py"))]:
            digest.update(path.read_bytes())
    return digest.hexdigest()


def versions() -> dict[str, str]:
    found: dict[str, str] = {}
    for name in PACKAGES:
        told = subprocess.run(
            [python(name), "-m", "pip", "list", "--format=freeze", "--disable-pip-version-check"],
            capture_output=True,
            text=True,
            check=True,
        )
        listed = dict(line.split("==", 1) for line in told.stdout.splitlines() if "==" in line)
        for package in SHOWN:
            if package in listed:
                found.setdefault(package, listed[package])
    return found
