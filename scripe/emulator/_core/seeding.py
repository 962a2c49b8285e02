"""Records made in bulk, to have something to page through."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from .clock import milliseconds, timestamp
from .database import Record, new_id
from .jobs import ACTIVE, STATUSES, TYPES, new_job
from .posts import new_post
from .routes.notes import new_note
from .routes.projects import new_project
from .routes.sources import new_source
from .services import Services

RESULTS = {"POST_GENERATION": ("postId", "post"), "SOURCE_INGEST_FILE": ("sourceId", "src")}
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class SeededIds:
    """The ids that `seed` made, oldest first.

    Attributes:
        project_ids: ids of projects.
        job_ids: ids of jobs.
        source_ids: ids of sources.
        note_ids: ids of notes.
        post_ids: ids of posts.

    """

    project_ids: list[str]
    job_ids: list[str]
    source_ids: list[str]
    note_ids: list[str]
    post_ids: list[str]


@dataclass(frozen=True, slots=True)
class Seeder:
    """Makes records whose creation times begin at `start` and lie `step` apart.

    Raises:
        ValueError: `job_type` or `job_status` is unknown.

    """

    services: Services
    workspace_id: str
    project_id: str | None
    start: datetime
    step: timedelta
    job_type: str
    job_status: str

    def __post_init__(self) -> None:
        if self.job_type not in TYPES or self.job_status not in STATUSES:
            raise ValueError(f"no such job: {self.job_type} {self.job_status}")

    def seed(self, projects: int, jobs: int, sources: int, notes: int, posts: int) -> SeededIds:
        """Make so many of each and store them."""
        with self.services.database.transaction():
            return SeededIds(
                [self._store(self._project(count)) for count in range(projects)],
                [self._store(self._job(count)) for count in range(jobs)],
                [self._store(self._source(count)) for count in range(sources)],
                [self._store(self._note(count)) for count in range(notes)],
                [self._store(self._post(count)) for count in range(posts)],
            )

    def _store(self, record: Record) -> str:
        self.services.database.insert(record)
        return record.id

    def _moment(self, count: int) -> int:
        return milliseconds(self.start + self.step * count)

    def _project(self, count: int) -> Record:
        return new_project(self.workspace_id, self._moment(count), f"Seeded project {count + 1}")

    def _source(self, count: int) -> Record:
        name, text = f"Seeded source {count + 1}", f"The text of seeded source {count + 1}."
        return new_source(self.workspace_id, self.project_id, self._moment(count), name, text)

    def _note(self, count: int) -> Record:
        moment, text = self._moment(count), f"The text of seeded note {count + 1}."
        slot = None if count % 2 else moment
        return new_note(self.workspace_id, self.project_id, moment, text, slot=slot)

    def _post(self, count: int) -> Record:
        title, text = f"Seeded post {count + 1}", f"The text of seeded post {count + 1}."
        return new_post(self.workspace_id, self.project_id, self._moment(count), text, title=title)

    def _job(self, count: int) -> Record:
        moment = self._moment(count)
        job = new_job(self.job_type, self.workspace_id, self.project_id, moment, estimated_ms=25_000)
        if self.job_status != "QUEUED":
            self._progress(job, moment)
        return job

    def _progress(self, job: Record, moment: int) -> None:
        job.fields |= {"status": self.job_status, "updatedAt": timestamp(moment)}
        if self.job_status != "CANCELLED":
            job.fields |= {"startedAt": timestamp(moment), "attemptCount": 1}
        if self.job_status not in ACTIVE:
            job.fields["completedAt"] = timestamp(moment)
        if self.job_status == "DONE":
            name, prefix = RESULTS.get(self.job_type, ("documentId", "kb"))
            job.fields["result"] = {name: new_id(prefix)}
        if self.job_status == "FAILED":
            job.fields |= {"errorCode": "SEEDED_FAILURE", "errorMessage": "This job was seeded as failed."}


def create_default_projects(services: Services, workspace_id: str) -> str:
    """Give a new workspace three projects and return the newest one's id."""
    now = services.clock.now()
    newest = new_project(
        workspace_id, milliseconds(now - DAY), "Founder brand 🚀", url="https://www.linkedin.com/in/ada-acme"
    )
    company = new_project(
        workspace_id,
        milliseconds(now - 30 * DAY),
        "Acme company page",
        project_type="COMPANY_PAGE",
        url="https://www.linkedin.com/company/acme",
    )
    archived = new_project(workspace_id, milliseconds(now - 300 * DAY), "Old campaign", status="ARCHIVED")
    for project in (newest, company, archived):
        services.database.insert(project)
    return newest.id
