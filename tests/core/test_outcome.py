import pytest

from tests.core.examples import response


@pytest.mark.parametrize(
    ("status", "is_success"),
    [(199, False), (200, True), (204, True), (299, True), (300, False), (503, False)],
)
def test_any_2xx_is_a_success_and_nothing_else(status: int, is_success: bool) -> None:
    assert response(status).is_success is is_success


@pytest.mark.parametrize(
    ("told", "is_replay"), [("true", True), (" True ", True), ("false", False), ("", False), ("1", False)]
)
def test_a_replay_is_what_the_header_calls_true(told: str, is_replay: bool) -> None:
    assert response(idempotent_replayed=told).is_replay is is_replay


def test_without_the_header_it_is_not_a_replay() -> None:
    assert not response().is_replay
