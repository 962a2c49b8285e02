"""`scripe jobs …`."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter

from ..._vocabulary import JobStatus, JobType
from .. import exit_codes
from ..bars import shown
from ..groups import command
from ..output import note
from ..parameters import (
    LIMIT,
    WAIT_TIMEOUT,
    All,
    CurrentSession,
    DateFrom,
    DateTo,
    Limit,
    WaitTimeout,
    several,
)
from ..results import Listing, Result, listed, page_size
from ..session import Session

app: App = command("jobs")
JobId = Annotated[str, Parameter(help="job_…, which job.")]


@app.command(name="list", sort_key=0)
def list_jobs(
    *,
    kind: Annotated[
        list[JobType | str] | None, several("--type", "TYPE", "Only jobs of this type; may be repeated.")
    ] = None,
    status: Annotated[
        list[JobStatus | str] | None,
        several("--status", "STATUS", "Only jobs in this state; may be repeated."),
    ] = None,
    date_from: DateFrom = None,
    date_to: DateTo = None,
    limit: Limit = LIMIT,
    everything: All = False,
    session: CurrentSession,
) -> Result:
    """List the jobs of the workspace, newest first."""
    most = None if everything else limit
    pager = session.client.jobs.list(
        type=kind, status=status, date_from=date_from, date_to=date_to, page_size=page_size(most)
    )
    return listed("Job", pager, most)


@app.command(sort_key=1)
def get(job_id: JobId, /, *, session: CurrentSession) -> Result:
    """Show one job, with its progress while it runs."""
    return session.client.jobs.retrieve(job_id)


@app.command(sort_key=2)
def wait(
    job_id: JobId,
    /,
    *others: Annotated[str, Parameter(help="More jobs to wait for.")],
    wait_timeout: WaitTimeout = WAIT_TIMEOUT,
    session: CurrentSession,
) -> Result:
    """Wait until jobs have ended, and show them. Fails if one did not end well."""
    session.wait_for(job_id, *others)
    if others:
        return _all_of_them(session, [job_id, *others], wait_timeout)
    return session.client.jobs.wait(job_id, timeout=wait_timeout, **shown(session))


def _all_of_them(session: Session, ids: list[str], timeout: float) -> Listing:
    jobs = session.client.jobs.wait_all(ids, timeout=timeout, **shown(session))
    ended_badly = sum(not job.is_succeeded for job in jobs)
    if ended_badly and not session.options.json:
        note(f"{ended_badly} of {len(jobs)} jobs did not end well; scripe jobs get ID says why.")
    return Listing("Job", jobs, exit_code=exit_codes.JOB if ended_badly else 0)


@app.command(sort_key=3)
def cancel(job_id: JobId, /, *, session: CurrentSession) -> Result:
    """Cancel a job that is still queued."""
    return session.client.jobs.cancel(job_id)
