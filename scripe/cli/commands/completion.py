"""Define `scripe completion …`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias

from cyclopts import App

from ..help import new_command
from ..output import write_stdout

app: App = new_command("completion")
Shell: TypeAlias = Literal["bash", "zsh", "fish"]

_ZSH_CALL = """
if [ "$funcstack[1]" = "_scripe" ]; then
  _cyclopts_scripe "$@"
else
  compdef _cyclopts_scripe scripe
fi
"""
_FIXES: dict[Shell, Callable[[str], str]] = {
    # Without `-o filenames` bash adds a blank after a folder, so that its files cannot be completed.
    "bash": lambda script: script.replace("\ncomplete -F ", "\ncomplete -o filenames -F "),
    # zsh loads a file of `fpath` by calling it, so it must call its own function; a sourced file must register it.
    "zsh": lambda script: script.rstrip() + "\n" + _ZSH_CALL,
    "fish": str,
}


@app.command
def bash() -> None:
    """Write the script for bash.

    Add this line to ~/.bashrc: source <(scripe completion bash)
    """
    _write("bash")


@app.command
def zsh() -> None:
    """Write the script for zsh.

    Run this once: scripe completion zsh > "${fpath[1]}/_scripe"
    """
    _write("zsh")


@app.command
def fish() -> None:
    """Write the script for fish.

    Run this once: scripe completion fish > ~/.config/fish/completions/scripe.fish
    """
    _write("fish")


def _write(shell: Shell) -> None:
    from ..app import app as root

    write_stdout(_FIXES[shell](root.generate_completion(shell=shell)))
