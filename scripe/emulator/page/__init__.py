"""The served emulator's own page, at ``/_emulator``: what came in, what runs, what is left, and its controls.

It is no part of the API: what goes to it is not listed in `Emulator.requests`, counts nowhere and needs no key. A look
of it is a look like any call's: jobs have moved to where the clock says, and to nowhere else.

    guard.py      who may look, and who may press a button
    inside.py     what it reads of the emulator beside what everybody may
    page.py       what it shows, as plain values
    words.py      how moments, keys and numbers are written there
    controls.py   what the buttons do
    routes.py     from a request to an answer
    templates/    the page; `parts.html` is what changes by itself
    static/       its style, its script, its icon
"""

from .inside import Inside
from .routes import Page

__all__ = ["Inside", "Page"]
