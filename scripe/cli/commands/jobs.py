"""Define `scripe jobs …`."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter

from ..._vocabulary import JobStatus, JobType
from .. import exit_codes, options
from ..help import new_command
from ..output import write_stderr
from ..render import Listing, Result, fetch_listing, page_size
from ..session import CurrentSession

app: App = new_command("jobs")
JobId = Annotated[str, Parameter(help="The id of the job (job_…).")]


@app.command(name="list", sort_key=0)
def list_jobs(
    *,
    job_type: Annotated[
        list[JobType | str] | None, options.repeatable("TYPE", "Show only jobs of this type")
    ] = None,
    status: Annotated[
        list[JobStatus | str] | None, options.repeatable("STATUS", "Show only jobs with this status")
    ] = None,
    date_from: options.DateFrom = None,
    date_to: options.DateTo = None,
    limit: options.Limit = options.LIMIT,
    show_all: options.ShowAll = False,
    session: CurrentSession,
) -> Result:
    """List the jobs of the workspace, newest first."""
    max_items = None if show_all else limit
    pager = session.client.jobs.list(
        type=job_type, status=status, date_from=date_from, date_to=date_to, page_size=page_size(max_items)
    )
    return fetch_listing("Job", pager, max_items)


@app.command(sort_key=1)
def get(job_id: JobId, /, *, session: CurrentSession) -> Result:
    """Show one job, and its progress while it runs."""
    return session.client.jobs.retrieve(job_id)


@app.command(sort_key=2)
def wait(
    job_id: JobId,
    /,
    *others: Annotated[str, Parameter(help="The ids of more jobs.")],
    wait_timeout: options.WaitTimeout = options.WAIT_TIMEOUT,
    session: CurrentSession,
) -> Result:
    """Wait until jobs have finished, and show them. The exit code is 13 if one did not succeed."""
    session.start_waiting(job_id, *others)
    show_progress = session.shows_progress
    if not others:
        return session.client.jobs.wait(job_id, timeout=wait_timeout, show_progress=show_progress)
    jobs = session.client.jobs.wait_all([job_id, *others], timeout=wait_timeout, show_progress=show_progress)
    failed = sum(not job.is_succeeded for job in jobs)
    if failed and not session.options.json:
        write_stderr(
            f"{failed} of {len(jobs)} jobs failed or were cancelled. To see why, run: scripe jobs get ID"
        )
    return Listing("Job", jobs, exit_code=exit_codes.JOB if failed else 0)


@app.command(sort_key=3)
def cancel(job_id: JobId, /, *, session: CurrentSession) -> Result:
    """Cancel a job that is still queued."""
    return session.client.jobs.cancel(job_id)
