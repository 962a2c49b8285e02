"""`scripe completion`."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter

from ..choices import Shell
from ..output import emit

app = App(name="completion")


@app.default
def completion(shell: Annotated[Shell, Parameter(help="Which shell.")], /) -> int:
    """Write the script that teaches a shell to complete the commands of scripe.

    bash: source <(scripe completion bash)
    zsh:  scripe completion zsh > "${fpath[1]}/_scripe"
    fish: scripe completion fish > ~/.config/fish/completions/scripe.fish
    """
    from ..app import app as every_command

    emit(every_command.generate_completion(shell=shell))
    return 0
