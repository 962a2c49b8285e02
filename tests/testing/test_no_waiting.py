"""A suite of tests with jobs in it: nobody sleeps, and but for the port nobody connects."""

from __future__ import annotations

import pytest

from .conftest import Run

AWAKE = """
    import asyncio, socket, time
    import pytest

    @pytest.fixture(autouse=True)
    def awake(monkeypatch, request):
        pause = asyncio.sleep

        def refuse(*arguments):
            raise AssertionError(f"not here: {arguments}")

        async def let_others_run(seconds, *_):
            await pause(refuse(seconds) if seconds else 0)

        monkeypatch.setattr(time, "sleep", refuse)
        if "scripe_server" not in request.fixturenames:
            monkeypatch.setattr(asyncio, "sleep", let_others_run)
            monkeypatch.setattr(socket.socket, "connect", refuse)
            monkeypatch.setattr(socket.socket, "bind", refuse)

    @pytest.fixture(autouse=True)
    def asserted(scripe_emulator):
        before = scripe_emulator.clock.now()
        yield
        assert (scripe_emulator.clock.now() - before).total_seconds() > 9
        scripe_emulator.assert_sent("POST", "/sources", times=1)
        scripe_emulator.assert_sent("GET", "/jobs/*")
"""
SYNC = """
    import pytest
    from scripe import Scripe

    def draft(client, project_id):
        source = client.sources.ingest(b"We ship. It works.", content_type="text/plain", project_id=project_id)
        return client.posts.generate_and_wait(project_id=project_id, text=source.text_preview)

    @pytest.mark.parametrize("turn", range(25))
    def test_a_draft(scripe_client, scripe_project, turn):
        assert draft(scripe_client, scripe_project.id).content
"""
FROM_ENVIRONMENT = SYNC.replace("(scripe_client, scripe_project,", "(scripe_server, scripe_project,").replace(
    "        assert draft(scripe_client,",
    "        with Scripe() as client:\n            assert draft(client,",
)
ASYNC = """
    import asyncio
    import pytest

    async def draft(client, project_id):
        source = await client.sources.ingest(
            b"We ship. It works.", content_type="text/plain", project_id=project_id
        )
        return await client.posts.generate_and_wait(project_id=project_id, text=source.text_preview)

    @pytest.mark.parametrize("turn", range(25))
    def test_a_draft(async_scripe_client, scripe_project, turn):
        assert asyncio.run(draft(async_scripe_client, scripe_project.id)).content
"""


@pytest.mark.parametrize(
    "suite",
    [
        pytest.param(SYNC, id="sync"),
        pytest.param(ASYNC, id="async"),
        pytest.param(FROM_ENVIRONMENT, id="from-the-environment"),
    ],
)
def test_nobody_waits(
    run: Run, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, suite: str
) -> None:
    monkeypatch.delenv(
        "COVERAGE_PROCESS_CONFIG", raising=False
    )  # it would triple the time, and shows nothing new
    pytester.makeconftest(AWAKE)
    run(suite).assert_outcomes(passed=25)


FROZEN = """
    import asyncio
    from datetime import UTC, datetime
    import pytest
    from freezegun import freeze_time
    from scripe import AsyncScripe, JobTimeoutError, Scripe
    from scripe.emulator import Emulator

    FILE = {"file": b"We ship.", "content_type": "text/plain"}

    def test_that_nothing_is_frozen(scripe_server, scripe_project):
        with Scripe() as client:
            client.sources.ingest(**FILE, project_id=scripe_project.id)

    @freeze_time("2026-05-15")
    def test_in_process(scripe_client, async_scripe_client, scripe_project, scripe_emulator):
        before = scripe_emulator.clock.now()
        scripe_client.sources.ingest(**FILE, project_id=scripe_project.id)
        asyncio.run(async_scripe_client.sources.ingest(**FILE, project_id=scripe_project.id))
        assert 10 <= (scripe_emulator.clock.now() - before).total_seconds() < 60
        assert scripe_emulator.requests[-1].milliseconds < 10_000

    @freeze_time("2026-05-15")
    def test_behind_a_port(scripe_server, scripe_project, scripe_emulator):
        before = scripe_emulator.clock.now()
        with Scripe() as client:
            client.sources.ingest(**FILE, project_id=scripe_project.id)
        assert 5 <= (scripe_emulator.clock.now() - before).total_seconds() < 60

    @freeze_time("2026-05-15", real_asyncio=True)
    def test_in_real_time():
        with Emulator(job_speed=50) as emulator, emulator.serve() as server:
            assert emulator.clock.now().date().isoformat() == "2026-05-15"
            with Scripe(server.api_key, base_url=server.base_url) as client:
                client.sources.ingest(**FILE, project_id=emulator.project_id)

            async def ingest():
                async with AsyncScripe(server.api_key, base_url=server.base_url) as client:
                    await client.sources.ingest(**FILE, project_id=emulator.project_id)

            asyncio.run(ingest())
            assert emulator.clock.now() < datetime(2026, 5, 15, 0, 1, tzinfo=UTC)

    @freeze_time("2026-05-15", real_asyncio=True)
    def test_a_wait_ends_in_real_time():
        with Emulator(job_speed=0) as emulator, emulator.serve() as server:
            with Scripe(server.api_key, base_url=server.base_url) as client:
                job = client.posts.generate(project_id=emulator.project_id, text="We ship.")
                before = emulator.clock.now()
                with pytest.raises(JobTimeoutError):
                    client.jobs.wait(job, timeout=1.5)
                assert 1.5 <= (emulator.clock.now() - before).total_seconds() < 3

            async def wait():
                async with AsyncScripe(server.api_key, base_url=server.base_url) as client:
                    before = emulator.clock.now()
                    with pytest.raises(JobTimeoutError):
                        await client.jobs.wait(job, timeout=1.5)
                    assert 1.5 <= (emulator.clock.now() - before).total_seconds() < 3

            asyncio.run(wait())
"""


def test_frozen_time_stops_neither_the_emulator_nor_its_clients_nor_pytest(run: Run) -> None:
    run(FROZEN).assert_outcomes(passed=5)
