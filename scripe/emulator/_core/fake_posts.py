"""A post made from a source: readable, and the same for the same source, since no model writes it."""

import re

MAX_TITLE = 60
POINTS = 3
SENTENCE = re.compile(r"[^.!?\n]+[.!?]*")
LANGUAGE = "[The emulator does not translate. The language asked for: {language}]"


def draft_post(source: str, language: str | None = None) -> tuple[str, str]:
    """Return the title and the text of a post made from a source; it ends with the language that was asked for."""
    sentences = [" ".join(found.split()) for found in SENTENCE.findall(source) if found.strip()]
    opening, points = (sentences or [source.strip()])[0], sentences[1 : POINTS + 1]
    parts = [opening, "\n".join(f"→ {point}" for point in points), "What is your take?"]
    parts += [LANGUAGE.format(language=language)] if language else []
    return _title(opening), "\n\n".join(part for part in parts if part)


def _title(opening: str) -> str:
    if len(opening) <= MAX_TITLE:
        return opening
    return f"{opening[:MAX_TITLE].rpartition(' ')[0] or opening[:MAX_TITLE]} …"
