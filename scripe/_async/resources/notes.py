"""Notes, with their slots in the queue.

The date filters of the API apply to the date of the slot, not to the creation of the note. So a note without a slot
disappears from a list as soon as any date filter is set.
"""

from __future__ import annotations

from datetime import date as calendar_date
from datetime import datetime

from ..._core.request import (
    Request,
    build_path,
    check_id,
    create_request,
    format_slot_date,
    format_utc_day,
    page_query,
)
from ...types.note import ContentType, Note
from ..pager import AsyncPager
from ._base import AsyncResource


class AsyncNotes(AsyncResource):
    """Notes, from which posts are written. https://apidocs.scripe.io/api/v1/notes"""

    def list(
        self,
        *,
        project_id: str,
        folder_id: str | None = None,
        date_from: calendar_date | datetime | str | None = None,
        date_to: calendar_date | datetime | str | None = None,
        page_size: int = 200,
    ) -> AsyncPager[Note]:
        """List the notes of a project, newest first.

        Args:
            project_id: `proj_…`, the project of the notes.
            folder_id: Only notes in this folder.
            date_from: Only notes whose slot is on this UTC day or later: a date, an aware datetime or
                `"2026-05-01"`. With a date filter, notes without a slot are left out.
            date_to: Only notes whose slot is on this UTC day or earlier.
            page_size: Items in each request, 1 to 200.

        """
        query = page_query(
            page_size,
            projectId=check_id(project_id, "project_id"),
            folderId=folder_id,
            dateFrom=format_utc_day(date_from, "date_from"),
            dateTo=format_utc_day(date_to, "date_to"),
        )
        return AsyncPager(self._sender, "/notes", Note, query)

    async def retrieve(self, note_id: str) -> Note:
        """Fetch one note.

        Raises:
            NotFoundError: no note in this workspace has this id.

        """
        return await self._sender.send(Request("GET", build_path("/notes/{}", note_id), Note))

    async def create(
        self,
        *,
        project_id: str,
        content: str | None = None,
        folder_id: str | None = None,
        date: calendar_date | datetime | None = None,
        content_type: ContentType | None = None,
        idempotency_key: str | None = None,
    ) -> Note:
        """Create a note and its slot in the queue.

        Args:
            project_id: `proj_…`, the project of the note.
            content: Text of the note; the API accepts about 100 KB.
            folder_id: The folder to put the note in. Default: the root.
            date: The day of its slot, or an aware datetime. Default: now.
            content_type: Topic of the note. Default: `PERSONAL`.
            idempotency_key: A repeated call with the same key and arguments creates no second note within 24 hours,
                and with a ledger at any time.

        Raises:
            NotFoundError: no project in this workspace has this id.
            PayloadTooLargeError: the text is too long.
            IdempotencyConflictError: the idempotency key was used with other arguments.

        """
        fields = {
            "projectId": check_id(project_id, "project_id"),
            "content": content,
            "folderId": folder_id,
            "date": format_slot_date(date, "date"),
            "contentType": content_type,
        }
        return await self._create(
            "notes.create", create_request("POST", "/notes", Note, fields, idempotency_key)
        )
