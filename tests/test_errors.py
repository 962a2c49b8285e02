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


def read_tree() -> dict[str, list[type[BaseException]]]:
    """Return the base classes by name, as the docstring of the module draws them."""
    tree: dict[str, list[type[BaseException]]] = {"ScripeError": [Exception]}
    parents: list[str] = ["ScripeError"]
    for line in (errors.__doc__ or "").split("```")[1].splitlines():
        match = re.match(r"^([│ ]*)(?:├──|└──) (\w+)(?: +\(also (\w+)\))?", line)
        if match:
            depth = len(match[1]) // 4
            parents[depth + 1 :] = [match[2]]
            parent: type[BaseException] = getattr(errors, parents[depth])
            tree[match[2]] = [parent, *([getattr(builtins, match[3])] if match[3] else [])]
    return tree


def public_classes() -> dict[str, type[errors.ScripeError]]:
    named = {name: getattr(errors, name) for name in errors.__all__}
    return {name: cls for name, cls in named.items() if issubclass(cls, errors.ScripeError)}


def test_the_tree_is_as_drawn() -> None:
    assert {name: list(cls.__bases__) for name, cls in public_classes().items()} == read_tree()


def test_every_class_of_the_module_is_drawn_or_a_finer_kind_of_one_that_is() -> None:
    for _, cls in inspect.getmembers(errors, inspect.isclass):
        if issubclass(cls, errors.ScripeError) and cls.__name__ not in read_tree():
            assert cls.__bases__[0].__name__ in read_tree()


def make_error(error_class: type[errors.ScripeError]) -> errors.ScripeError:
    if issubclass(error_class, errors.APIStatusError):
        return error_class(
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
    if issubclass(error_class, errors.APIResponseValidationError):
        return error_class(
            "told", status_code=200, request_id="req_1", body="<html>", idempotency_key="key-1"
        )
    if issubclass(error_class, errors.UploadError):
        return error_class(
            "told", status_code=403, storage_code="C", storage_message="m", idempotency_key="key-1"
        )
    if issubclass(error_class, errors.ConsentRequiredError):
        return error_class("told", reason="revoked", name="tenant-42", idempotency_key="key-1")
    if issubclass(error_class, errors.JobTimeoutError):
        return error_class("told", jobs=(job(),), idempotency_key="key-1")
    if issubclass(error_class, errors.JobFailedError | errors.JobCancelledError):
        return error_class("told", job=job(), idempotency_key="key-1")
    return error_class("told", retryable=True, idempotency_key="key-1")


FINER: list[type[errors.ScripeError]] = [
    errors.FileUnreadableError,
    UploadLinkUsedError,
]
EVERY = [*public_classes().values(), *FINER]


@pytest.mark.parametrize("error_class", EVERY)
def test_every_error_pickles_and_copies_whole(error_class: type[errors.ScripeError]) -> None:
    error = make_error(error_class)
    error.add_note("seen in the night")
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        assert_same(pickle.loads(pickle.dumps(error, protocol)), error)
    assert_same(copy.deepcopy(error), error)
    assert_same(copy.copy(error), error)


def assert_same(copied: errors.ScripeError, error: errors.ScripeError) -> None:
    assert copied is not error
    assert type(copied) is type(error)
    assert str(copied) == str(error)
    assert repr(copied) == repr(error)
    assert copied.args == error.args
    assert vars(copied) == vars(error)


@pytest.mark.parametrize("error_class", EVERY)
def test_every_error_prints_what_went_wrong(error_class: type[errors.ScripeError]) -> None:
    error = make_error(error_class)
    assert str(error).startswith("told")
    assert error_class.__name__ in repr(error)
    assert error.message == "told"
    assert error.idempotency_key == "key-1"
    assert isinstance(error.retryable, bool)


@pytest.mark.parametrize("error_class", EVERY)
def test_every_error_is_caught_by_the_root_and_can_be_raised(error_class: type[errors.ScripeError]) -> None:
    with pytest.raises(errors.ScripeError):
        raise make_error(error_class)


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
    assert error.details == {}
    assert error.meta == {}
    assert error.headers == {}
    assert error.extra == {}
    assert error.body is None
    assert not error.retryable


@pytest.mark.parametrize("place", ["details", "meta"])
def test_a_spend_cap_error_has_cents_and_reset_wherever_the_api_puts_them(place: str) -> None:
    fields = {"bucketDate": "2026-12-31", "capCents": 2000, "spentCents": 1996.0, "estimateCents": 5}
    error = errors.SpendCapExceededError("x", status_code=402, **{place: fields})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    assert (error.cap_cents, error.spent_cents, error.estimate_cents) == (2000, 1996, 5)
    assert error.resets_at == datetime(2027, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("odd", ["null", '"many"', "[]", "true", "NaN", "Infinity", '"2026-13-01"'])
def test_a_malformed_spend_cap_is_unknown_and_breaks_nothing(odd: str) -> None:
    value = json.loads(odd)
    error = errors.SpendCapExceededError(
        "x", status_code=402, meta={"capCents": value, "bucketDate": value, "spentCents": value}
    )
    assert (error.cap_cents, error.spent_cents, error.estimate_cents) == (None, None, None)
    assert error.resets_at is None


def test_the_last_of_all_days_has_no_reset_but_breaks_nothing() -> None:
    error = errors.SpendCapExceededError("x", status_code=402, meta={"bucketDate": "9999-12-31"})
    assert error.resets_at is None


@pytest.mark.parametrize(
    ("sent", "expected"), [(["a", "b"], ["a", "b"]), ("a", []), (None, []), ([1], ["1"])]
)
def test_scopes_and_versions_are_lists_of_text(sent: object, expected: list[str]) -> None:
    scope = errors.ScopeMissingError("x", status_code=403, details={"required": sent})  # type: ignore[dict-item]  # pyright: ignore[reportArgumentType]
    version = errors.VersionUnsupportedError("x", status_code=400, meta={"accepted": sent})  # type: ignore[dict-item]  # pyright: ignore[reportArgumentType]
    assert scope.required == expected
    assert version.accepted == expected


def test_a_rate_limit_set_later_survives_pickling() -> None:
    error = errors.RateLimitError("x", status_code=429)
    assert (error.retry_after, error.rate_limit) == (None, None)
    error.retry_after, error.rate_limit = 17.0, RateLimit(120, 0, 17.0)
    loaded = pickle.loads(pickle.dumps(error))
    assert (loaded.retry_after, loaded.rate_limit) == (17.0, RateLimit(120, 0, 17.0))


def test_a_time_out_of_a_wait_holds_the_jobs_and_may_be_waited_for_again() -> None:
    jobs = [job("a"), job("b", "DONE")]
    error = errors.JobTimeoutError("x", jobs=jobs)
    assert error.jobs == jobs
    assert error.retryable
    assert isinstance(error, TimeoutError)


@pytest.mark.parametrize("error_class", [errors.JobFailedError, errors.JobCancelledError])
def test_an_error_of_a_job_holds_the_job(
    error_class: type[errors.JobFailedError] | type[errors.JobCancelledError],
) -> None:
    failed_job: Job = job(status="FAILED")
    assert error_class("x", job=failed_job).job is failed_job
    assert not error_class("x", job=failed_job).retryable


def test_an_upload_error_without_a_response_has_no_status() -> None:
    error = errors.UploadTooLargeError("x")
    assert (error.status_code, error.storage_code, error.storage_message) == (None, None, None)
