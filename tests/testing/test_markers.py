"""What the markers set up, and what is said of those that cannot be right."""

from __future__ import annotations

import inspect
import tomllib
from importlib.metadata import packages_distributions

from scripe.emulator._core import optional_dependencies as extras
from scripe.testing.markers import MARKER_PARSERS
from scripe.testing.plugin import MARKERS

from .conftest import ROOT, Run


def test_each_marker_is_obeyed(run: Run) -> None:
    ran = run("""
        import pytest
        import scripe

        pytestmark = pytest.mark.scripe_latency(3)

        def passed(emulator, client):
            before = emulator.clock.now()
            client.workspaces.me()
            return (emulator.clock.now() - before).total_seconds()

        def test_latency_of_the_module(scripe_emulator, scripe_client):
            assert 3 <= passed(scripe_emulator, scripe_client) < 60

        @pytest.mark.scripe_latency(seconds=3600)
        def test_latency_of_the_test(scripe_client):
            with pytest.raises(scripe.APITimeoutError):
                scripe_client.workspaces.me()

        @pytest.mark.scripe_faults(503, times=2)
        @pytest.mark.scripe_faults(409, "not_cancellable", path="/workspaces", method="GET")
        class TestFaults:
            @pytest.mark.scripe_faults(429, retry_after=5, path="/sources", method="POST")
            @pytest.mark.scripe_faults("drop", path="/sources")
            def test_in_order(self, scripe_client, scripe_emulator, scripe_project):
                with pytest.raises(scripe.NotCancellableError):
                    scripe_client.workspaces.me()
                sent = scripe_emulator.assert_sent("GET", "/workspaces/me", times=3)
                assert [each.status for each in sent] == [503, 503, 409]
                scripe_client.sources.create_text(project_id=scripe_project.id, text="Hello")
                sent = scripe_emulator.assert_sent("POST", "/sources", times=3)
                assert [each.status for each in sent] == [429, 200, 200]
                assert [each.connection_dropped for each in sent] == [False, True, False]

        @pytest.mark.scripe_faults
        def test_just_a_fault(scripe_client):
            scripe_client.workspaces.me()
            assert scripe_client.workspaces.me().last_response.attempts == 1

        @pytest.mark.scripe_faults("drop", before=True, path="/sources")
        def test_a_drop_before_the_work(scripe_client, scripe_emulator, scripe_project):
            scripe_client.sources.create_text(project_id=scripe_project.id, text="Hello")
            sent = scripe_emulator.assert_sent("POST", "/sources", times=2)
            assert [each.status for each in sent] == [0, 200]

        @pytest.mark.scripe_faults("drop", times=2)
        def test_two_drops(scripe_client):
            assert scripe_client.workspaces.me().last_response.attempts == 3

        @pytest.mark.scripe_plan("FREE")
        def test_plan(scripe_client):
            with pytest.raises(scripe.PlanNotEligibleError):
                scripe_client.workspaces.me()

        @pytest.mark.scripe_plan("BUSINESS", active=False)
        def test_plan_in_bad_standing(scripe_client, scripe_project):
            with pytest.raises(scripe.PlanNotEligibleError):
                scripe_client.workspaces.me()

        @pytest.mark.scripe_rate_limit(2)
        def test_rate_limit(scripe_emulator, scripe_client):
            assert sum(passed(scripe_emulator, scripe_client) for _ in range(2)) < 60
            began = scripe_emulator.clock.now()
            scripe_client.projects.list().first()
            assert (scripe_emulator.clock.now() - began).total_seconds() > 20

        @pytest.mark.scripe_plan("ADVANCED")
        @pytest.mark.scripe_spend_cap(remaining_cents=5)
        def test_spend_cap(scripe_client, scripe_project):
            def write():
                scripe_client.posts.generate_and_wait(project_id=scripe_project.id, text="We ship.")

            write()
            with pytest.raises(scripe.SpendCapExceededError) as caught:
                write()
            assert (caught.value.cap_cents, caught.value.spent_cents) == (2000, 2000)

        @pytest.mark.scripe_settings(include_topics=True, finished_status="COMPLETED")
        def test_settings(scripe_client, scripe_project):
            source = scripe_client.sources.ingest(
                b"We ship.", content_type="text/plain", project_id=scripe_project.id
            )
            assert source.topics
            assert scripe_client.jobs.list().first().status == "COMPLETED"
    """)
    ran.assert_outcomes(passed=11)


def test_faults_that_no_request_met_are_told(run: Run) -> None:
    """Of a test's own markers: those of a class are for all its tests, and need not be met in each."""
    ran = run(
        """
        import pytest

        @pytest.mark.scripe_faults(503, path="/workspace")
        @pytest.mark.scripe_faults(503, path="/projekts", times=2)
        @pytest.mark.scripe_faults("drop", method="POST")
        def test_misspelt(scripe_client):
            scripe_client.workspaces.me()

        @pytest.mark.scripe_faults(503, times=99)
        def test_always_down(scripe_client, scripe_emulator):
            assert scripe_emulator.unused_faults == ["503 for any method of any path"]
            with pytest.raises(Exception, match="503"):
                scripe_client.workspaces.me()
            assert scripe_emulator.unused_faults == []

        @pytest.mark.scripe_faults(503, path="/posts")
        class TestMany:
            def test_nothing_of_posts(self, scripe_client):
                scripe_client.workspaces.me()

        def test_by_hand(scripe_emulator):
            scripe_emulator.fail_next(503)
        """,
        "-W",
        "default",
    )
    ran.assert_outcomes(passed=4, warnings=1)
    ran.stdout.fnmatch_lines(
        [
            "*test_misspelt: no request met 503 for any method /projekts nor drop for POST of any path; "
            "check the marker. The test sent GET /workspaces/me, GET /workspaces/me.*"
        ]
    )


WRONG = {
    "scripe_latency": "missing a required argument: 'seconds'",
    "scripe_latency(1, 2)": "too many positional arguments",
    "scripe_latency(-1)": "seconds is -1; give 0 or more",
    "scripe_latency('long')": "seconds is 'long'; give a number",
    "scripe_faults('dorp')": "status is 'dorp'; give a number, or 'drop'",
    "scripe_faults(700)": "status is 700; give a number from 200 to 599",
    "scripe_faults(503, times=0)": "times is 0; give 1 or more",
    "scripe_faults(503, path='sources')": "path is 'sources'; begin it with /",
    "scripe_faults(503, when='now')": "got an unexpected keyword argument 'when'",
    "scripe_faults(503, before=True)": "before goes only with 'drop'; leave it out",
    "scripe_faults('drop', code='conflict')": "a lost response has no code, retry_after or message; leave them out",
    "scripe_plan()": "missing a required argument: 'plan'",
    "scripe_plan('GRATIS')": "there is no plan 'GRATIS'; give one of FREE, SOLO, ADVANCED, BUSINESS, ENTERPRISE, TRIAL",
    "scripe_rate_limit()": "missing a required argument: 'requests'",
    "scripe_rate_limit('2')": "requests is '2'; give a whole number",
    "scripe_rate_limit(0)": "requests is 0; give 1 or more",
    "scripe_spend_cap(True)": "remaining_cents is True; give a whole number",
    "scripe_spend_cap(remaining_cents=-1)": "remaining_cents is -1; give 0 or more",
    "scripe_spend_cap(6000)": "6000 cents cannot remain: the plan BUSINESS has a daily spend cap of 5000 cents",
    "scripe_settings(sped=1)": "there is no setting 'sped'; give one of plan, job_speed, *",
}


def test_what_cannot_be_right_is_told_in_one_line(run: Run) -> None:
    tests = [f"@pytest.mark.{mark}\ndef test_{n}(scripe_client): pass" for n, mark in enumerate(WRONG)]
    ran = run("\n".join(["import pytest", *tests]))
    ran.assert_outcomes(errors=len(WRONG))
    told = [f"@pytest.mark.{mark if '(' in mark else mark + '()'}: {why}" for mark, why in WRONG.items()]
    heads = ["_* ERROR at setup of test_*"] * len(told)
    lines = [line for pair in zip(heads, told, strict=True) for line in pair]
    ran.stdout.fnmatch_lines(lines, consecutive=True)


MARKER_NAMES = ("latency", "faults", "plan", "rate_limit", "spend_cap", "settings")


def test_markers_are_explained_and_a_typo_is_an_error(run: Run) -> None:
    run("", "--markers").stdout.fnmatch_lines([f"@pytest.mark.scripe_{name}(*): *." for name in MARKER_NAMES])
    ran = run("import pytest\npytestmark = pytest.mark.scripe_plans('FREE')")
    ran.stdout.fnmatch_lines(["*'scripe_plans' not found in `markers`*"])


def test_markers_are_explained_as_they_are_read() -> None:
    for each in MARKER_PARSERS:
        signature = inspect.signature(each)
        parameters = [one.replace(annotation=one.empty) for one in signature.parameters.values()]
        plain = f"{each.__name__}{inspect.Signature(parameters)}: "
        assert [line for line in MARKERS if line.startswith(plain)], plain


def test_pytest_finds_the_plugin_by_itself() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["entry-points"]["pytest11"] == {"scripe": "scripe.testing.plugin"}
    assert any(each.startswith("scripe[emulator]") for each in project["optional-dependencies"]["testing"])


def test_the_packages_that_are_looked_for_are_those_of_the_extra() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = {each.partition(">=")[0] for each in project["optional-dependencies"]["emulator"]}
    homes = packages_distributions()
    assert {homes[name][0].lower() for name in extras.PACKAGES} == wanted
    assert extras.find_missing_packages() == ()


def test_a_marker_that_does_nothing_is_told(run: Run) -> None:
    ran = run("""
        import pytest

        @pytest.mark.scripe_faults(503)
        def test_without():
            pass

        @pytest.mark.scripe_faults(503)
        def test_with(scripe_client):
            scripe_client.workspaces.me()
    """)
    ran.stdout.fnmatch_lines(["*scripe_faults has no effect: test_without uses no fixture of scripe.*"])
    assert "test_with uses" not in ran.stdout.str()
