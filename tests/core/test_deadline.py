from scripe._core.deadline import NO_DEADLINE, Deadline, cap_timeout


def test_no_deadline_allows_any_wait_and_never_passes() -> None:
    assert Deadline.after(None, 5.0) == NO_DEADLINE
    assert NO_DEADLINE.remaining(1e9) is None
    assert not NO_DEADLINE.has_passed(1e9)
    assert NO_DEADLINE.allows(1e9, 1e9)


def test_what_remains_shrinks_to_zero_and_not_below() -> None:
    deadline = Deadline.after(10.0, 100.0)
    assert [deadline.remaining(now) for now in (100.0, 104.0, 110.0, 111.0)] == [10.0, 6.0, 0.0, 0.0]


def test_it_has_passed_from_its_very_moment_on() -> None:
    deadline = Deadline.after(10.0, 100.0)
    assert [deadline.has_passed(now) for now in (109.9, 110.0, 110.1)] == [False, True, True]


def test_a_wait_is_allowed_only_if_time_is_left_after_it() -> None:
    deadline = Deadline.after(10.0, 100.0)
    assert deadline.allows(9.9, 100.0)
    assert not deadline.allows(10.0, 100.0)
    assert not deadline.allows(0.0, 110.0)


def test_no_network_operation_may_pass_the_deadline() -> None:
    assert cap_timeout(60.0, 6.0) == 6.0
    assert cap_timeout(2.0, 6.0) == 2.0
    assert cap_timeout(None, 6.0) == 6.0
    assert cap_timeout(2.0, 0.0) == cap_timeout(None, 0.0) == 0.001  # 0 would mean: do not wait at all


def test_it_says_how_long_it_was() -> None:
    assert str(Deadline.after(2.5, 0.0)) == "the total timeout of 2.5 s has passed"
