"""Make records in bulk, to have something to page through."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from .database import Record, new_id
from .dates import format_timestamp, to_milliseconds
from .jobs import ACTIVE, STATUSES, TYPES, new_job
from .posts import new_post
from .routes.notes import new_note
from .routes.projects import new_project
from .routes.sources import new_source
from .services import Services
from .settings import SCOPES

RESULTS = {"POST_GENERATION": ("postId", "post"), "SOURCE_INGEST_FILE": ("sourceId", "src")}
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class SeededIds:
    """The ids of the records that `Emulator.seed` made, oldest first.

    Attributes:
        project_ids: Ids of projects.
        job_ids: Ids of jobs.
        source_ids: Ids of sources.
        note_ids: Ids of notes.
        post_ids: Ids of posts.

    """

    project_ids: list[str]
    job_ids: list[str]
    source_ids: list[str]
    note_ids: list[str]
    post_ids: list[str]


@dataclass(frozen=True, slots=True)
class Seeder:
    """Makes records whose creation times begin at `start` and lie `step` apart."""

    services: Services
    workspace_id: str
    project_id: str | None
    start: datetime
    step: timedelta
    job_type: str
    job_status: str

    def seed(self, counts: Mapping[str, int]) -> SeededIds:
        """Make and store a number of each resource, or raise a ValueError for an unknown type or status of jobs."""
        if self.job_type not in TYPES or self.job_status not in STATUSES:
            raise ValueError(f"there is no job of type {self.job_type} with status {self.job_status}")
        ids: dict[str, list[str]] = {}
        with self.services.database.transaction():
            for resource, count in counts.items():
                records = [
                    self._make(resource, number, to_milliseconds(self.start + self.step * (number - 1)))
                    for number in range(1, count + 1)
                ]
                for record in records:
                    self.services.database.insert(record)
                ids[resource] = [record.id for record in records]
        return SeededIds(ids["projects"], ids["jobs"], ids["sources"], ids["notes"], ids["posts"])

    def _make(self, resource: str, number: int, moment: int) -> Record:
        workspace_id, project_id = self.workspace_id, self.project_id
        name = f"seeded {resource.removesuffix('s')} {number}"
        text = f"The text of {name}."
        if resource == "projects":
            return new_project(workspace_id, moment, name.capitalize())
        if resource == "sources":
            return new_source(workspace_id, project_id, moment, name.capitalize(), text)
        if resource == "notes":
            return new_note(workspace_id, project_id, moment, text, slot=moment if number % 2 else None)
        if resource == "posts":
            return new_post(workspace_id, project_id, moment, text, title=name.capitalize())
        return self._job(moment)

    def _job(self, moment: int) -> Record:
        job = new_job(self.job_type, self.workspace_id, self.project_id, moment, estimated_ms=25_000)
        status, timestamp = self.job_status, format_timestamp(moment)
        if status == "QUEUED":
            return job
        job.fields |= {"status": status, "updatedAt": timestamp}
        if status != "CANCELLED":
            job.fields |= {"startedAt": timestamp, "attemptCount": 1}
        if status not in ACTIVE:
            job.fields["completedAt"] = timestamp
        if status == "DONE":
            name, prefix = RESULTS.get(self.job_type, ("documentId", "kb"))
            job.fields["result"] = {name: new_id(prefix)}
        if status == "FAILED":
            job.fields |= {"errorCode": "SEEDED_FAILURE", "errorMessage": "This job was seeded as failed."}
        return job


def find_first_workspace(services: Services) -> tuple[str, str, str]:
    """Return the ids of the first workspace, its API key and its newest project; make them in a new database."""
    database, names = services.database, ("workspace_id", "api_key", "project_id")
    with database.transaction():  # two emulators on one database begin with one workspace
        if database.get_meta("workspace_id") is None:
            workspace_id = services.auth.create_workspace("Acme", services.settings.plan)
            api_key = services.auth.create_key(workspace_id, SCOPES)
            project_id = create_default_projects(services, workspace_id)
            for name, text in zip(names, (workspace_id, api_key, project_id), strict=True):
                database.set_meta(name, text)
        workspace_id, api_key, project_id = (str(database.get_meta(name)) for name in names)
        return workspace_id, api_key, project_id


def create_default_projects(services: Services, workspace_id: str) -> str:
    """Give a new workspace three projects and return the id of the newest."""
    now = services.clock.now()
    newest = new_project(
        workspace_id,
        to_milliseconds(now - DAY),
        "Founder brand 🚀",
        url="https://www.linkedin.com/in/ada-acme",
    )
    company = new_project(
        workspace_id,
        to_milliseconds(now - 30 * DAY),
        "Acme company page",
        project_type="COMPANY_PAGE",
        url="https://www.linkedin.com/company/acme",
    )
    archived = new_project(workspace_id, to_milliseconds(now - 300 * DAY), "Old campaign", status="ARCHIVED")
    for project in (newest, company, archived):
        services.database.insert(project)
    return newest.id
