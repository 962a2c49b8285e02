"""What the fixtures give."""

from __future__ import annotations

import pytest

from .conftest import Run


def test_a_client_a_project_and_an_emulator_of_ones_own(run: Run) -> None:
    ran = run("""
        import pytest
        from scripe import ClientClosedError, Project, Scripe
        from scripe.emulator import Emulator

        seen = []

        @pytest.mark.parametrize("turn", [1, 2])
        def test_fresh(scripe_emulator, scripe_client, scripe_project, turn):
            assert isinstance(scripe_emulator, Emulator) and isinstance(scripe_client, Scripe)
            assert isinstance(scripe_project, Project)
            scripe_emulator.assert_nothing_sent()
            assert scripe_client.projects.retrieve(scripe_project.id) == scripe_project
            assert scripe_client.sources.create_text(project_id=scripe_project.id, text="Hello").is_ready
            assert scripe_emulator.count("sources") == 1
            seen.append((scripe_emulator, scripe_client))

        def test_closed():
            (emulator, client), (other, _) = seen
            assert emulator is not other
            with pytest.raises(ClientClosedError):
                client.workspaces.me()
            with pytest.raises(RuntimeError):
                emulator.handle(None)
    """)
    ran.assert_outcomes(passed=3)


def test_no_fixture_no_import(run: Run) -> None:
    ran = run("""
        import sys

        def test_what_is_loaded():
            ours = {name for name in sys.modules if name.startswith("scripe")}
            assert ours == {"scripe", "scripe._lazy", "scripe._version", "scripe.testing", "scripe.testing.plugin"}
            heavy = {"httpx", "httpx2", "pydantic", "tenacity", "anyio", "trio", "starlette", "uvicorn"}
            assert not heavy & sys.modules.keys()
    """)
    ran.assert_outcomes(passed=1)


ASYNC = """
    import pytest
    from scripe import AsyncScripe

    @pytest.mark.anyio
    async def test_a_draft(async_scripe_client, scripe_emulator, scripe_project):
        before = scripe_emulator.clock.now()
        post = await async_scripe_client.posts.generate_and_wait(project_id=scripe_project.id, text="We ship.")
        assert post.project_id == scripe_project.id
        assert (scripe_emulator.clock.now() - before).total_seconds() > 4
        scripe_emulator.assert_sent("POST", "/posts/generations", times=1)

    @pytest.mark.anyio
    async def test_that_closes_it(async_scripe_client):
        async with async_scripe_client as client:
            assert (await client.workspaces.me()).workspace.name == "Acme"

    @pytest.mark.anyio
    async def test_that_makes_its_own(scripe_server, scripe_emulator, scripe_project):
        async with AsyncScripe() as client:
            await client.sources.ingest(b"We ship.", content_type="text/plain", project_id=scripe_project.id)
        scripe_emulator.assert_sent("GET", "/jobs/*")

    def test_that_does_not_use_it(async_scripe_client):
        pass
"""


def test_an_async_client_on_asyncio_and_trio(run: Run) -> None:
    run(ASYNC, "-p", "anyio").assert_outcomes(passed=7)


def test_an_async_client_without_any_plugin(run: Run) -> None:
    ran = run("""
        import asyncio, trio

        async def use(client):
            assert (await client.workspaces.me()).workspace.name == "Acme"

        def test_on_asyncio(async_scripe_client):
            asyncio.run(use(async_scripe_client))

        def test_on_trio(async_scripe_client):
            trio.run(use, async_scripe_client)
    """)
    ran.assert_outcomes(passed=2)


def test_clients_made_from_the_environment(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCRIPE_API_KEY", "scripe_sk_live_ofmine0000000000")
    monkeypatch.setenv("SCRIPE_WORKSPACE_ID", "org_ofmine")
    ran = run("""
        import os, subprocess, sys, time
        import pytest
        from scripe import AsyncScripe, Scripe

        urls = []

        @pytest.mark.parametrize("turn", [1, 2])
        def test_in_this_process(scripe_server, scripe_emulator, scripe_project, monkeypatch, turn):
            monkeypatch.setattr(time, "sleep", lambda seconds: pytest.fail(f"slept {seconds} s"))
            scripe_emulator.fail_next(429, retry_after=20)
            before = scripe_emulator.clock.now()
            with Scripe() as client:
                source = client.sources.ingest(
                    b"We ship.", content_type="text/plain", project_id=scripe_project.id
                )
                client.posts.generate_and_wait(project_id=scripe_project.id, text=source.text_preview)
                client.posts.generate(
                    project_id=scripe_project.id, text="Held back.", wait_for_completion_ms=10_000
                )
            assert (scripe_emulator.clock.now() - before).total_seconds() > 34
            scripe_emulator.assert_sent("POST", "/sources", times=1)
            scripe_emulator.assert_sent("POST", "/posts/generations", times=2)
            urls.append(scripe_server.base_url)

        PROGRAM = "from scripe import Scripe; print(Scripe().workspaces.me().workspace.name)"

        def test_in_another_process(scripe_server, scripe_emulator):
            ran = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
            assert ran.stdout == "Acme\\n", ran.stderr
            assert "SCRIPE_WORKSPACE_ID" not in os.environ
            scripe_emulator.assert_sent("GET", "/workspaces/me", times=1)
            urls.append(scripe_server.base_url)

        def test_in_a_forked_process(scripe_server, monkeypatch):
            clocks = [type(kind()._sender.session.clock).__name__ for kind in (Scripe, AsyncScripe)]
            assert clocks == ["EmulatorClock", "AsyncEmulatorClock"]
            monkeypatch.setattr(os, "getpid", lambda: -1)
            clocks = [type(kind()._sender.session.clock).__name__ for kind in (Scripe, AsyncScripe)]
            assert clocks == ["Clock", "AsyncClock"]

        def test_afterwards():
            assert os.environ["SCRIPE_API_KEY"] == "scripe_sk_live_ofmine0000000000"
            assert os.environ["SCRIPE_WORKSPACE_ID"] == "org_ofmine"
            assert "SCRIPE_BASE_URL" not in os.environ
            assert type(Scripe()._sender.session.clock).__name__ == "Clock"
            assert len(set(urls)) == 1
    """)
    ran.assert_outcomes(passed=5)


def test_what_comes_after_the_test_reaches_no_other_one(run: Run) -> None:
    ran = run("""
        from scripe import AuthenticationError, Scripe

        left = []

        def test_one(scripe_server):
            left.append(Scripe())
            left[0].workspaces.me()

        def test_between():
            try:
                left[0].workspaces.me()
            except AuthenticationError as error:
                assert error.code == "invalid_token"
            left[0].close()
    """)
    ran.assert_outcomes(passed=2)


def test_a_fixture_can_be_built_upon(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makeconftest("""
        import pytest

        @pytest.fixture
        def scripe_emulator(scripe_emulator):
            scripe_emulator.seed(posts=3)
            return scripe_emulator
    """)
    ran = run("""
        def test_posts(scripe_client, scripe_project):
            assert len(scripe_client.posts.list(project_id=scripe_project.id).to_list()) == 3
    """)
    ran.assert_outcomes(passed=1)


@pytest.mark.parametrize(
    "fixture", ["scripe_client", "async_scripe_client", "scripe_project", "scripe_server"]
)
def test_a_missing_extra_is_told_in_one_line(run: Run, pytester: pytest.Pytester, fixture: str) -> None:
    pytester.makeconftest("import sys; sys.modules.update(uvicorn=None, pypdf=None)")
    ran = run(f"def test_it({fixture}): pass", "--tb=short")
    ran.assert_outcomes(errors=1)
    ran.stdout.re_match_lines(
        [r'^uvicorn is not installed\. Install scripe with the extra "testing", which adds uvicorn\.$'],
        consecutive=True,
    )
    ran.stdout.no_fnmatch_line("*plugin.py*")


def test_an_assertion_that_fails_points_to_the_test(run: Run) -> None:
    ran = run(
        """
        def test_it(scripe_client, scripe_emulator):
            scripe_client.workspaces.me()
            scripe_emulator.assert_sent("POST", "/sources", times=1)
    """,
        "-l",
    )
    ran.assert_outcomes(failed=1)
    ran.stdout.fnmatch_lines(
        [
            ">*scripe_emulator.assert_sent(*",
            "E*AssertionError: POST /sources should have been sent once; it was not sent.",
            "E*Sent requests, in order:",
            "E*GET /workspaces/me -> 200",
            "",
        ],
        consecutive=True,
    )
    ran.stdout.no_fnmatch_line("*received.py*")
    ran.stdout.no_fnmatch_line("*scripe_sk_*")
