"""What the SDK says of its arguments, said of the options of the command line."""

from __future__ import annotations

import re

_OPTIONS = re.compile(
    r"\b(base_url|content_type|total_timeout|events|name|note_id|project_id|scheduled_for|timeout|upload_id|url|workspace_id)"
    r"(=| (?=is |must |[0-9'\"\[]))"
)
_PHRASES = {
    "told from the name": "told from",
    "`allow_insecure=True` if you mean it": "--allow-insecure if you mean it",
    "the key goes in `api_key`.": "the key goes in SCRIPE_API_KEY.",
    ", or None for no limit": "",
    "There is nothing to change: give at least one field.": "There is nothing to change: give at least one option.",
    "events must name": "--event must name",
}


def of_options(message: str) -> str:
    """A message of `ConfigurationError` in the words of the command line."""
    for phrase, other in _PHRASES.items():
        message = message.replace(phrase, other)
    return _OPTIONS.sub(lambda found: f"--{found[1].replace('_', '-')} ", message)
