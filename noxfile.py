"""The checks of `scripts/test` in environments of their own: other Pythons, the lowest versions, a built sdist.

`nox` alone runs what this machine has a Python for; `nox --session lowest` one of them.
"""

from __future__ import annotations

import os
import re
import tarfile
import tomllib
from pathlib import Path

import nox

ROOT = Path(__file__).parent
EXTRAS = "[cli,emulator,httpx2,oauth,otel,pandas,polars,sql,testing]"
FAST = ("pytest", "--quiet", "--numprocesses=2", "-m", "not slow")

# Let pyenv's commands `python3.12` and its like work, whichever version it has been told to use.
PYENV = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
os.environ.setdefault("PYENV_VERSION", ":".join(sorted(each.name for each in PYENV.glob("3.1[1-9].*"))))

nox.options.error_on_missing_interpreters = False
nox.options.sessions = ["tests", "lowest", "sdist"]


@nox.session(python=["3.11", "3.12", "3.13", "3.14"])
def tests(session: nox.Session) -> None:
    """Run the fast tests."""
    install(session)
    session.run(*FAST, *session.posargs)


@nox.session(python="3.11")
def lowest(session: nox.Session) -> None:
    """Run the fast tests with the lowest versions that pyproject.toml allows."""
    constraints = Path(session.create_tmp()) / "lowest.txt"
    constraints.write_text("\n".join(lowest_versions()), encoding="utf-8")
    install(session, "--constraint", str(constraints))
    session.run(*FAST, *session.posargs)


@nox.session(python="3.11")
def sdist(session: nox.Session) -> None:
    """Run the fast tests of the source distribution, with nothing else of the repository."""
    folder = Path(session.create_tmp())
    session.install("build")
    session.run("python", "-m", "build", "--sdist", "--outdir", str(folder), str(ROOT))
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    session.chdir(folder / archive.name.removesuffix(".tar.gz"))
    install(session)
    session.run(*FAST, *session.posargs)


@nox.session(python="3.11")
def docs(session: nox.Session) -> None:
    """Build the documentation, and follow its links."""
    install(session, "--group", "docs")
    session.run("sphinx-build", "-W", "--keep-going", "-q", "-b", "html", "docs", "docs/_build/html")
    session.run("pytest", "--quiet", "tests/test_docs_site.py")


def install(session: nox.Session, *more: str) -> None:
    session.install("--editable", f".{EXTRAS}", "--group", "dev", *more)


def lowest_versions() -> list[str]:
    """Return the lowest version of each dependency and extra, as constraints for pip.

    All but that of typing-extensions: the tests need anyio 4.16, which closes the socket of a cancelled connect, and
    which needs a newer one.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = [
        *project["dependencies"],
        *(each for extra in project["optional-dependencies"].values() for each in extra),
    ]
    return sorted(
        {
            f"{name}=={version}"
            for name, version in re.findall(r"([\w-]+)>=([\d.]+)", "\n".join(needed))
            if name != "typing-extensions"
        }
    )
