import builtins
import copy
import inspect
import json
import pickle
import re
from datetime import UTC, datetime

import pytest

from scripe import errors
from scripe._core.uploads import UploadLinkUsedError
from scripe.types import Headers, Job, RateLimit
from tests.core.examples import job


def drawn() -> dict[str, list[type[BaseException]]]:
    """Bases by name, as the docstring of the module draws them."""
    found: dict[str, list[type[BaseException]]] = {"ScripeError": [Exception]}
    parents: list[str] = ["ScripeError"]
    for line in (errors.__doc__ or "").split("```")[1].splitlines():
        match = re.match(r"^([│ ]*)(?:├──|└──) (\w+)(?: +\(also (\w+)\))?", line)
        if match:
            depth = len(match[1]) // 4
            parents[depth + 1 :] = [match[2]]
            parent: type[BaseException] = getattr(errors, parents[depth])
            found[match[2]] = [parent, *([getattr(builtins, match[3])] if match[3] else [])]
    return found


def public() -> dict[str, type[errors.ScripeError]]:
    named = {name: getattr(errors, name) for name in errors.__all__}
    return {name: each for name, each in named.items() if issubclass(each, errors.ScripeError)}


def test_the_tree_is_as_drawn() -> None:
    assert {name: list(each.__bases__) for name, each in public().items()} == drawn()


def test_every_class_of_the_module_is_drawn_or_a_finer_kind_of_one_that_is() -> None:
    for _, each in inspect.getmembers(errors, inspect.isclass):
        if issubclass(each, errors.ScripeError) and each.__name__ not in drawn():
            assert each.__bases__[0].__name__ in drawn()


def made(kind: type[errors.ScripeError]) -> errors.ScripeError:
    if issubclass(kind, errors.APIStatusError):
        return kind(
            "told",
            status_code=418,
            code="odd",
            request_id="req_1",
            docs_url="https://docs",
            details={"a": [1]},
            meta={"b": None},
            headers=Headers([("X-A", "1")]),
            body={"error": {}},
            retryable=True,
            idempotency_key="key-1",
        )
    if issubclass(kind, errors.APIResponseValidationError):
        return kind("told", status_code=200, request_id="req_1", body="<html>", idempotency_key="key-1")
    if issubclass(kind, errors.UploadError):
        return kind("told", status_code=403, storage_code="C", storage_message="m", idempotency_key="key-1")
    if issubclass(kind, errors.JobTimeoutError):
        return kind("told", jobs=(job(),), idempotency_key="key-1")
    if issubclass(kind, errors.JobFailedError | errors.JobCancelledError):
        return kind("told", job=job(), idempotency_key="key-1")
    return kind("told", retryable=True, idempotency_key="key-1")


FINER: list[type[errors.ScripeError]] = [
    errors.FileUnreadableError,
    UploadLinkUsedError,
]
EVERY = [*public().values(), *FINER]


@pytest.mark.parametrize("kind", EVERY)
def test_every_error_pickles_and_copies_whole(kind: type[errors.ScripeError]) -> None:
    error = made(kind)
    error.add_note("seen in the night")
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        same(pickle.loads(pickle.dumps(error, protocol)), error)
    same(copy.deepcopy(error), error)
    same(copy.copy(error), error)


def same(found: errors.ScripeError, error: errors.ScripeError) -> None:
    assert found is not error
    assert type(found) is type(error)
    assert (str(found), repr(found), found.args) == (str(error), repr(error), error.args)
    assert vars(found) == vars(error)


@pytest.mark.parametrize("kind", EVERY)
def test_every_error_prints_what_went_wrong(kind: type[errors.ScripeError]) -> None:
    error = made(kind)
    assert str(error).startswith("told")
    assert kind.__name__ in repr(error)
    assert error.message == "told"
    assert error.idempotency_key == "key-1"
    assert isinstance(error.retryable, bool)


@pytest.mark.parametrize("kind", EVERY)
def test_every_error_is_caught_by_the_root_and_can_be_raised(kind: type[errors.ScripeError]) -> None:
    with pytest.raises(errors.ScripeError):
        raise made(kind)


def test_a_deep_copy_shares_nothing_that_can_be_changed() -> None:
    error = errors.JobTimeoutError("told", jobs=[job()])
    copied = copy.deepcopy(error)
    copied.jobs.clear()
    assert len(error.jobs) == 1


def test_errors_are_also_what_python_calls_them() -> None:
    assert issubclass(errors.FileMissingError, FileNotFoundError)
    assert issubclass(errors.FileIsDirectoryError, IsADirectoryError)
    assert issubclass(errors.ScripeDeprecationWarning, FutureWarning)


def test_an_error_of_the_api_prints_status_code_and_request() -> None:
    error = errors.NotFoundError("No such job", status_code=404, code="not_found", request_id="req_1")
    assert str(error) == "No such job (HTTP 404, not_found, request req_1)"
    assert str(errors.NotFoundError("No such job", status_code=404)) == "No such job (HTTP 404)"


def test_an_error_of_the_api_without_extras_has_empty_ones() -> None:
    error = errors.NotFoundError("x", status_code=404)
    assert (error.details, error.meta, error.headers, error.extra, error.body) == ({}, {}, {}, {}, None)
    assert not error.retryable


@pytest.mark.parametrize("place", ["details", "meta"])
def test_a_spend_cap_tells_cents_and_reset_wherever_the_api_puts_them(place: str) -> None:
    told = {"bucketDate": "2026-12-31", "capCents": 2000, "spentCents": 1996.0, "estimateCents": 5}
    error = errors.SpendCapExceededError("x", status_code=402, **{place: told})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    assert (error.cap_cents, error.spent_cents, error.estimate_cents) == (2000, 1996, 5)
    assert error.resets_at == datetime(2027, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("odd", ["null", '"many"', "[]", "true", "NaN", "Infinity", '"2026-13-01"'])
def test_a_spend_cap_told_oddly_is_unknown_and_nothing_breaks(odd: str) -> None:
    value = json.loads(odd)
    error = errors.SpendCapExceededError(
        "x", status_code=402, meta={"capCents": value, "bucketDate": value, "spentCents": value}
    )
    assert (error.cap_cents, error.spent_cents, error.estimate_cents) == (None, None, None)
    assert error.resets_at is None


def test_the_last_of_all_days_has_no_reset_but_breaks_nothing() -> None:
    error = errors.SpendCapExceededError("x", status_code=402, meta={"bucketDate": "9999-12-31"})
    assert error.resets_at is None


@pytest.mark.parametrize(("told", "found"), [(["a", "b"], ["a", "b"]), ("a", []), (None, []), ([1], ["1"])])
def test_scopes_and_versions_are_lists_of_text(told: object, found: list[str]) -> None:
    scope = errors.ScopeMissingError("x", status_code=403, details={"required": told})  # type: ignore[dict-item]  # pyright: ignore[reportArgumentType]
    version = errors.VersionUnsupportedError("x", status_code=400, meta={"accepted": told})  # type: ignore[dict-item]  # pyright: ignore[reportArgumentType]
    assert scope.required == found
    assert version.accepted == found


def test_a_rate_limit_told_later_survives_pickling() -> None:
    error = errors.RateLimitError("x", status_code=429)
    assert (error.retry_after, error.rate_limit) == (None, None)
    error.retry_after, error.rate_limit = 17.0, RateLimit(120, 0, 17.0)
    found = pickle.loads(pickle.dumps(error))
    assert (found.retry_after, found.rate_limit) == (17.0, RateLimit(120, 0, 17.0))


def test_a_time_out_of_a_wait_holds_the_jobs_and_may_be_waited_for_again() -> None:
    jobs = [job("a"), job("b", "DONE")]
    error = errors.JobTimeoutError("x", jobs=jobs)
    assert error.jobs == jobs
    assert error.retryable
    assert isinstance(error, TimeoutError)


@pytest.mark.parametrize("kind", [errors.JobFailedError, errors.JobCancelledError])
def test_an_error_of_a_job_holds_the_job(
    kind: type[errors.JobFailedError] | type[errors.JobCancelledError],
) -> None:
    ended: Job = job(status="FAILED")
    assert kind("x", job=ended).job is ended
    assert not kind("x", job=ended).retryable


def test_an_upload_error_without_an_answer_has_no_status() -> None:
    error = errors.UploadTooLargeError("x")
    assert (error.status_code, error.storage_code, error.storage_message) == (None, None, None)
