"""`scripe uploads …`."""

from __future__ import annotations

from cyclopts import App

from ..bars import shown
from ..groups import command
from ..parameters import CurrentSession, File, IdempotencyKey, MimeType
from ..results import Result

app: App = command("uploads")


@app.command
def put(
    file: File,
    /,
    *,
    content_type: MimeType = None,
    idempotency_key: IdempotencyKey = None,
    session: CurrentSession,
) -> Result:
    """Send a file to storage, and show the upload, of which nothing is made yet."""
    return session.client.uploads.upload_file(
        file,
        content_type=content_type,
        idempotency_key=session.key(idempotency_key),
        **shown(session),
    )
