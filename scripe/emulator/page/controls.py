"""Run what the buttons do: read a form, and call the emulator's own controls."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .._core.application import Application
from .._core.errors import STATUS_BY_CODE
from .._core.faults import Delay, Drop, Failure

FAILURES = tuple(sorted(STATUS_BY_CODE, key=lambda code: (STATUS_BY_CODE[code], code)))
DEFAULT_FAULT = "service_unavailable"
MAX_TIMES = 1_000
MAX_RETRY_AFTER = 86_400
MAX_DELAY = 300
MAX_STEP = 366 * 86_400


class FormError(ValueError):
    """A form cannot be done; the message says why."""


@dataclass(frozen=True, slots=True)
class Form:
    """A form that was sent, and the application that it is for."""

    application: Application
    fields: Mapping[str, str]

    def text(self, name: str) -> str:
        """Return a field without the space around it; empty if it is absent."""
        return self.fields.get(name, "").strip()

    def path(self) -> str | None:
        """Return how the paths of the requests begin, None for all paths."""
        path = self.text("path")
        if path and not path.startswith("/"):
            raise FormError("A path begins with a slash, such as /sources.")
        below = path.removeprefix("/v1")
        return (below if below.startswith("/") else path) if below else None

    def times(self) -> int:
        """Return the number of requests."""
        return int(self.number("times", "The number of requests", 1, MAX_TIMES, whole=True))

    def number(self, name: str, label: str, least: float, most: float, *, whole: bool = False) -> float:
        """Return a field's number, or raise a FormError if it is absent or out of bounds."""
        try:
            number = int(self.text(name)) if whole else float(self.text(name))
        except ValueError:
            number = float("nan")
        if not least <= number <= most:
            noun = "a whole number" if whole else "a number"
            raise FormError(f"{label} must be {noun} from {least:g} to {most:,.10g}.")
        return number


def fail_next(form: Form) -> None:
    """Let the next requests fail with the chosen code and its status."""
    code = form.text("code")
    if code not in STATUS_BY_CODE:
        raise FormError("Choose one of the listed errors.")
    retry_after = None
    if form.text("retry_after"):
        retry_after = form.number("retry_after", "Retry-After", 0, MAX_RETRY_AFTER, whole=True)
    failure = Failure(None, form.path(), form.times(), STATUS_BY_CODE[code], code, retry_after=retry_after)
    form.application.faults.add(failure)


def drop_next(form: Form) -> None:
    """Let the next responses be lost, or the next requests."""
    form.application.faults.add(Drop(None, form.path(), form.times(), bool(form.text("before"))))


def delay_next(form: Form) -> None:
    """Let the next responses be late."""
    seconds = form.number("seconds", "The delay", 0, MAX_DELAY)
    form.application.faults.add(Delay(None, form.path(), form.times(), seconds))


def clear_faults(form: Form) -> None:
    """Cancel the faults that no request has met."""
    form.application.faults.clear()


def advance(form: Form) -> None:
    """Move the clock forward."""
    step = form.number("seconds", "The step in seconds", 1, MAX_STEP)
    try:
        form.application.clock.advance(step)
    except ValueError as error:
        raise FormError(f"The clock was not moved: {error}.") from None


def finish(form: Form) -> None:
    """End a job, with success if its handler succeeds."""
    _change_job(form, form.application.services.jobs.finish)


def fail_job(form: Form) -> None:
    """Let a job fail."""
    _change_job(form, form.application.services.jobs.fail)


def _change_job(form: Form, control: Callable[[str], None]) -> None:
    try:
        control(form.text("job"))
    except (LookupError, ValueError) as error:
        raise FormError(f"The job was not changed: {error.args[0]}.") from None


def revoke(form: Form) -> None:
    """Revoke the API key with an id."""
    form.application.services.auth.revoke_key(find_api_key(form.application, form.text("key")))


def find_api_key(application: Application, key_id: str) -> str:
    """Return the API key with an id, or raise a FormError if there is none or it is revoked."""
    for row in application.services.auth.list_keys():
        if row["id"] == key_id:
            if row["revoked"]:
                raise FormError("This key is already revoked.")
            return str(row["token"])
    raise FormError("There is no such key.")


@dataclass(frozen=True, slots=True)
class Control:
    """One button: what it runs, and what the page says after that."""

    run: Callable[[Form], None]
    success_message: str


CONTROLS: Mapping[str, Control] = {
    "fail-next": Control(fail_next, "The next requests will fail."),
    "drop-next": Control(drop_next, "The next connections will be lost."),
    "delay-next": Control(delay_next, "The next responses will be late."),
    "clear-faults": Control(clear_faults, "All faults were cleared."),
    "advance": Control(advance, "The clock was moved forward."),
    "finish": Control(finish, "The job was ended."),
    "fail-job": Control(fail_job, "The job has failed."),
    "revoke": Control(revoke, "The key was revoked."),
}
