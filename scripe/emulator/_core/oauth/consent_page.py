"""Write the HTML of the consent page: a form that works without scripts. Whatever a client sent is escaped."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from itertools import groupby
from sqlite3 import Row
from typing import cast

from ...._vocabulary import Scope
from ..messages import AUTHORIZE_PATH
from .grants import AuthorizationRequest

HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    # Without `form-action`: browsers apply it to the redirect that follows the form, which goes to the client.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
WORDS: Mapping[Scope, str] = {
    "notes:read": "Read your notes and sources",
    "notes:write": "Write notes",
    "posts:read": "Read your posts",
    "posts:write": "Write, generate and schedule posts",
    "sources:write": "Add sources",
    "knowledge:write": "Add knowledge",
    "webhooks:manage": "Manage webhook endpoints",
    "offline_access": "Stay connected while you are away",
}
STYLE = """
body { max-width: 32rem; margin: 3rem auto; padding: 0 1rem; }
body { font: 16px/1.5 system-ui, sans-serif; color: #222; background: #fff; }
h1 { font-size: 1.4rem; }
fieldset { border: 1px solid #bbb; border-radius: 6px; margin: 1rem 0; }
label { display: block; }
select, button { font: inherit; padding: .4rem 1rem; }
small { color: #555; overflow-wrap: anywhere; }
"""


def render_consent(request: AuthorizationRequest, reach: Sequence[Row], form_id: str) -> str:
    """Return the page that asks a user; `reach` has each user with each workspace of theirs."""
    client, target = escape(request.client.name), escape(request.redirect_uri)
    return _render(
        f"Allow {client}?",
        f"""<h1>Allow <bdi>{client}</bdi> to use Scripe?</h1>
<form method="post" action="{AUTHORIZE_PATH}">
<input type="hidden" name="form" value="{escape(form_id)}">
<fieldset><legend>It will be able to</legend>
{_scope_boxes(request.scopes)}
</fieldset>
<p><label for="reach">In the workspace</label>
<select id="reach" name="reach">
{_reach_options(reach)}
</select></p>
<p><button name="decision" value="allow">Allow</button>
<button name="decision" value="deny">Deny</button></p>
<p><small>Then you go on to {target}. This is the Scripe emulator: nobody has to log in here.</small></p>
</form>""",
    )


def render_error(message: str) -> str:
    """Return the page that says why nobody is asked."""
    return _render(
        "This does not work",
        f"""<h1>This does not work</h1>
<p>{escape(message)}</p>
<p>Go back to the application that you came from, and begin again there.</p>""",
    )


def _render(title: str, body: str) -> str:
    return f"""<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · Scripe emulator</title><style>{STYLE}</style></head>
<body><main>
{body}
</main></body>
</html>
"""


def _scope_boxes(scopes: Iterable[str]) -> str:
    words = cast("Mapping[str, str]", WORDS)
    return "\n".join(
        f'<label><input type="checkbox" name="scope" value="{escape(scope)}" checked> {escape(words[scope])} '
        f"<small>{escape(scope)}</small></label>"
        for scope in scopes
    )


def _reach_options(reach: Sequence[Row]) -> str:
    groups: list[str] = []
    for user, rows in groupby(reach, key=lambda row: (row["id"], row["name"])):
        options = "".join(
            f'<option value="{escape(user[0])} {escape(row["workspace_id"])}">{escape(row["workspace_name"])}</option>'
            for row in rows
        )
        groups.append(f'<optgroup label="{escape(user[1])}">{options}</optgroup>')
    return "\n".join(groups)
