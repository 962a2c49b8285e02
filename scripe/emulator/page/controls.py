"""What the buttons do: forms in, the emulator's own controls called."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .._core.errors import STATUS_BY_CODE
from .inside import Inside

if TYPE_CHECKING:
    from .._emulator import Emulator

FAILURES = tuple(sorted(STATUS_BY_CODE, key=lambda code: (STATUS_BY_CODE[code], code)))
USUAL_FAILURE = "service_unavailable"
MOST_TIMES = 1_000
LONGEST_RETRY_AFTER = 86_400
LONGEST_DELAY = 300
LONGEST_STEP = 366 * 86_400


class FormError(ValueError):
    """What was filled in cannot be done; the message says why, to a person."""


@dataclass(frozen=True, slots=True)
class Form:
    """What was sent.

    Attributes:
        emulator: what it is for.
        inside: its inner parts.
        fields: the fields by their names.

    """

    emulator: "Emulator"
    inside: Inside
    fields: Mapping[str, str]

    def text(self, name: str) -> str:
        """A field without the space around it; empty when it is not there."""
        return self.fields.get(name, "").strip()

    def path(self) -> str | None:
        """The beginning of the paths that are meant, None for all."""
        path = self.text("path")
        if path and not path.startswith("/"):
            raise FormError("A path begins with a slash, such as /sources.")
        below = path.removeprefix("/v1")
        return (below if below.startswith("/") else path) if below else None

    def times(self) -> int:
        """How many requests are meant."""
        return int(self.number("times", "The number of requests", 1, MOST_TIMES, whole=True))

    def number(self, name: str, label: str, least: float, most: float, *, whole: bool = False) -> float:
        """A field's number.

        Raises:
            FormError: there is none, or it is out of bounds.

        """
        try:
            number = int(self.text(name)) if whole else float(self.text(name))
        except ValueError:
            number = float("nan")
        if not least <= number <= most:
            kind = "a whole number" if whole else "a number"
            raise FormError(f"{label} must be {kind} from {least:g} to {most:,.10g}.")
        return number


def fail_next(form: Form) -> None:
    """Let the next requests fail with the code chosen, and its status."""
    code = form.text("code")
    if code not in STATUS_BY_CODE:
        raise FormError("Choose one of the errors that are listed.")
    retry_after = None
    if form.text("retry_after"):
        retry_after = form.number("retry_after", "Retry-After", 0, LONGEST_RETRY_AFTER, whole=True)
    form.emulator.fail_next(
        STATUS_BY_CODE[code], code, retry_after=retry_after, times=form.times(), path=form.path()
    )


def drop_next(form: Form) -> None:
    """Let the next answers be lost."""
    form.emulator.drop_next(form.times(), path=form.path())


def delay_next(form: Form) -> None:
    """Let the next answers be late."""
    seconds = form.number("seconds", "The delay", 0, LONGEST_DELAY)
    form.emulator.delay_next(seconds, form.times(), path=form.path())


def call_off(form: Form) -> None:
    """Call off what is on order."""
    form.emulator.clear_faults()


def advance(form: Form) -> None:
    """Move the clock forward."""
    step = form.number("seconds", "The step in seconds", 1, LONGEST_STEP)
    try:
        form.emulator.clock.advance(step)
    except ValueError as error:
        raise FormError(f"Nothing was done: {error}.") from None


def finish(form: Form) -> None:
    """End a job, with success if its work allows."""
    with_job(form, form.emulator.finish)


def fail_job(form: Form) -> None:
    """Let a job fail."""
    with_job(form, form.emulator.fail)


def with_job(form: Form, control: Callable[[str], None]) -> None:
    """Use a control on the job that the form names.

    Raises:
        FormError: there is no such job, or it has ended.

    """
    try:
        control(form.text("job"))
    except (LookupError, ValueError) as error:
        raise FormError(f"Nothing was done: {error.args[0]}.") from None


def revoke(form: Form) -> None:
    """Revoke the key with an id."""
    form.emulator.revoke_key(token_of(form.inside, form.text("key")))


def token_of(inside: Inside, key_id: str) -> str:
    """The key with an id.

    Raises:
        FormError: there is none, or it is revoked.

    """
    for row in inside.backend.access.all_keys():
        if row["id"] == key_id:
            if row["revoked"]:
                raise FormError("This key is revoked already.")
            return str(row["token"])
    raise FormError("There is no such key.")


@dataclass(frozen=True, slots=True)
class Control:
    """One button.

    Attributes:
        press: does it.
        done: what is said when it is done.

    """

    press: Callable[[Form], None]
    done: str


CONTROLS: Mapping[str, Control] = {
    "fail-next": Control(fail_next, "The failure is on order."),
    "drop-next": Control(drop_next, "The loss is on order."),
    "delay-next": Control(delay_next, "The delay is on order."),
    "call-off": Control(call_off, "Nothing is on order any more."),
    "advance": Control(advance, "The clock was moved forward."),
    "finish": Control(finish, "The job was ended."),
    "fail-job": Control(fail_job, "The job was let fail."),
    "revoke": Control(revoke, "The key was revoked."),
}
