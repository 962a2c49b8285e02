"""Draft a post from a source without a model: readable, and always the same for the same source."""

import re

MAX_TITLE = 60
POINTS = 3
SENTENCE = re.compile(r"[^.!?\n]+[.!?]*")
LANGUAGE = "[The emulator does not translate. Requested language: {language}]"


def draft_post(source: str, language: str | None = None) -> tuple[str, str]:
    """Return the title and the text of a post from the source's first sentences; it ends with a requested language."""
    sentences = [" ".join(match.split()) for match in SENTENCE.findall(source) if match.strip()]
    opening, points = (sentences or [source.strip()])[0], sentences[1 : POINTS + 1]
    parts = [opening, "\n".join(f"→ {point}" for point in points), "What is your take?"]
    parts += [LANGUAGE.format(language=language)] if language else []
    title = opening
    if len(opening) > MAX_TITLE:
        title = f"{opening[:MAX_TITLE].rpartition(' ')[0] or opening[:MAX_TITLE]} …"
    return title, "\n\n".join(part for part in parts if part)
