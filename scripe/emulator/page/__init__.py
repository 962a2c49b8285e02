"""The emulator's own page, at `/_emulator`: requests, jobs, posts, what is left of the limits, and controls.

It is not part of the API: its requests are not in `Emulator.requests`, count in no rate limit and need no API key.
Showing it moves jobs on like any request does: to where the clock says.

    access.py      who may see it, and use its buttons
    snapshot.py    what it shows, as plain values
    formatting.py  how times, keys and numbers are written
    controls.py    what the buttons do
    routes.py      from a request to a response
    templates/     the page; `parts.html` is what changes by itself
    static/        its style, its script, its icon
"""

from .routes import Page

__all__ = ["Page"]
