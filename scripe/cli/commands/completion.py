"""`scripe completion …`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias

from cyclopts import App

from ..groups import command
from ..output import emit

app: App = command("completion")

Shell: TypeAlias = Literal["bash", "zsh", "fish"]

_CALL = """
if [ "$funcstack[1]" = "_scripe" ]; then
  _cyclopts_scripe "$@"
else
  compdef _cyclopts_scripe scripe
fi
"""
_MENDED: dict[Shell, Callable[[str], str]] = {
    # Without the option bash takes a folder for a file, and one cannot go on into it.
    "bash": lambda script: script.replace("\ncomplete -F ", "\ncomplete -o filenames -F "),
    # A file that zsh loads by its name has to call what it defines; one that is sourced has to name it.
    "zsh": lambda script: script.rstrip() + "\n" + _CALL,
    "fish": str,
}


@app.command
def bash() -> None:
    """Write the script for bash.

    In ~/.bashrc: source <(scripe completion bash)
    """
    _write("bash")


@app.command
def zsh() -> None:
    """Write the script for zsh.

    Once: scripe completion zsh > "${fpath[1]}/_scripe"
    """
    _write("zsh")


@app.command
def fish() -> None:
    """Write the script for fish.

    Once: scripe completion fish > ~/.config/fish/completions/scripe.fish
    """
    _write("fish")


def _write(shell: Shell) -> None:
    from ..app import app as every_command

    emit(_MENDED[shell](every_command.generate_completion(shell=shell)))
