"""Make two posts of each recording, in two languages, for Mondays, Wednesdays and Fridays at nine; list them as CSV.

python -m examples.recipes.season proj_… recordings/ 2027-01-04 season.db > calendar.csv
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from zoneinfo import ZoneInfo

from scripe import Scripe, SpendCapExceededError, idempotency_key


def make_season(client: Scripe, project: str, folder: Path, first_day: datetime) -> Iterator[list[str]]:
    days = (first_day + timedelta(days=number, hours=9) for number in count())
    slots = (day for day in days if day.weekday() in (0, 2, 4))
    for file in sorted(folder.glob("[!.]*")):
        source = client.sources.ingest(file, project_id=project, idempotency_key=idempotency_key(file.name))
        for language in ("en", "de"):
            key, text, slot = idempotency_key(file.name, language), source.text_preview, next(slots)
            post = client.posts.generate_and_wait(
                project_id=project, text=text, language=language, scheduled_for=slot, idempotency_key=key
            )
            yield [str(post.scheduled_at or post.status), file.name, language, post.id, post.title or ""]


if __name__ == "__main__":
    if len(sys.argv) != 5:
        raise SystemExit(__doc__)
    with Scripe(ledger=sys.argv[4]) as client:
        monday = datetime.fromisoformat(sys.argv[3]).replace(tzinfo=ZoneInfo("Europe/Berlin"))
        try:
            csv.writer(sys.stdout).writerows(make_season(client, sys.argv[1], Path(sys.argv[2]), monday))
        except SpendCapExceededError as error:
            raise SystemExit(f"{error} Run the same command again after {error.resets_at}.") from None
