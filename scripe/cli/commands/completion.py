"""`scripe completion …`."""

from __future__ import annotations

from cyclopts import App

from ..choices import Shell
from ..groups import command
from ..output import emit

app: App = command("completion")


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

    script = every_command.generate_completion(shell=shell)
    # Without this option bash takes a folder for a file, and one cannot go on into it.
    emit(script.replace("\ncomplete -F ", "\ncomplete -o filenames -F ") if shell == "bash" else script)
