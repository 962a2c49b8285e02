"""Define `scripe completion …`."""

from __future__ import annotations

from typing import Literal

from cyclopts import App

from ..help import new_command
from ..output import write_stdout

app: App = new_command("completion")

_ZSH_CALL = """
if [ "$funcstack[1]" = "_scripe" ]; then
  _cyclopts_scripe "$@"
else
  compdef _cyclopts_scripe scripe
fi
"""


@app.command
def bash() -> None:
    """Write the script for bash.

    Add this line to ~/.bashrc: source <(scripe completion bash)
    """
    # Without `-o filenames` bash adds a blank after a folder, so that its files cannot be completed.
    write_stdout(_script("bash").replace("\ncomplete -F ", "\ncomplete -o filenames -F "))


@app.command
def zsh() -> None:
    """Write the script for zsh.

    Run this once: scripe completion zsh > "${fpath[1]}/_scripe"
    """
    # zsh loads a file of `fpath` by calling it, so it must call its own function; a sourced file must register it.
    write_stdout(_script("zsh").rstrip() + "\n" + _ZSH_CALL)


@app.command
def fish() -> None:
    """Write the script for fish.

    Run this once: scripe completion fish > ~/.config/fish/completions/scripe.fish
    """
    write_stdout(_script("fish"))


def _script(shell: Literal["bash", "zsh", "fish"]) -> str:
    from ..app import app as root

    return root.generate_completion(shell=shell)
