"""Real processes against an emulator on a port: killed at any step, two at once, and what people see of them."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path

from scripe import Ledger, Scripe
from scripe.emulator import Clock, Server

from .keys import Scenario, new_season
from .season import HOUR, PAUSES, Life, Loss, Season, kill_process, make_season

PERIOD = 120


@contextmanager
def served(recordings: int) -> Generator[tuple[Season, Server]]:
    season = new_season(recordings, clock=Clock(), job_speed=200, upload_limit=10**6, generation_limit=10**6)
    with season.emulator.serve() as server:
        yield season, server


def advance(server: Server, pause: timedelta) -> None:
    """Move the emulator's clock over its port, as another process would."""
    if not pause:
        return
    form = f"seconds={pause.total_seconds():.0f}".encode()
    urllib.request.urlopen(f"{server.page_url}/advance", data=form).close()


def start(season: Season, server: Server, at: int = 0) -> subprocess.Popen[str]:
    """Start the program as a process of its own, which kills itself at a step."""
    season.runs += 1
    words = (server.api_key, server.base_url, season.project_id, season.folder, season.path, at)
    command = [sys.executable, "-m", __name__, *map(str, words)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def finish(season: Season, server: Server) -> None:
    for _ in range(8):
        child = start(season, server)
        told, _ = child.communicate(timeout=PERIOD)
        if child.returncode == 0:
            return
        if "UnsettledWriteError" not in told:
            raise Loss(told)
        with season.client() as client:  # as a person with the same ledger
            settle_all(season, client)
    raise Loss("no end")


def settle_all(season: Season, client: Scripe) -> None:
    assert client.ledger is not None
    for item in list(client.ledger.items(state="unknown")):
        made = season.live(item.route, item.idempotency_key)
        season.persons += 1
        if made and item.candidates and made[0] not in item.candidates:
            raise Loss(f"{made} is not among the candidates of {item!r}")
        if made:
            client.ledger.settle(item.idempotency_key, result_id=season.result(made[0]))
        else:
            client.ledger.settle(item.idempotency_key, send_again=True)


def scenarios(seed: int, seconds: float) -> Iterator[Scenario]:
    """Yield the scenarios of `keys` with real processes, in an order of chance, for a number of seconds."""
    choose, until = random.Random(f"processes/{seed}"), time.monotonic() + seconds
    ways: list[Callable[[], Season]] = [
        *(partial(run_killed, choose.choices(range(1, 500), k=3), pause) for pause in PAUSES.values()),
        *(partial(run_together, [0] * count) for count in (2, 3)),
        *(partial(run_together, choose.choices(range(1, 400), k=count)) for count in (2, 3)),
        partial(run_killed_from_outside, choose),
    ]
    choose.shuffle(ways)
    for way in ways:
        if time.monotonic() < until:
            yield "12 recordings in real processes that are killed or meet", way


def run_killed(steps: list[int], pause: timedelta) -> Season:
    with served(12) as (season, server):
        for step in steps:
            child = start(season, server, step)
            told, _ = child.communicate(timeout=PERIOD)
            if child.returncode not in (0, -signal.SIGKILL) and "UnsettledWriteError" not in told:
                raise Loss(told)
            advance(server, pause)
        finish(season, server)
        return season


def run_together(steps: list[int]) -> Season:
    with served(12) as (season, server):
        children = [start(season, server, step) for step in steps]
        for child in children:
            told, _ = child.communicate(timeout=PERIOD)
            if child.returncode not in (0, -signal.SIGKILL):
                raise Loss(told)
        finish(season, server)
        return season


def run_killed_from_outside(choose: random.Random) -> Season:
    with served(12) as (season, server):
        for _ in range(5):
            child = start(season, server)
            time.sleep(choose.uniform(0.5, 2.5))
            child.kill()
            child.communicate()
        finish(season, server)
        return season


# What people see


def command(season: Season, server: Server, *words: str) -> subprocess.Popen[str]:
    season.runs += 1
    environment = {**os.environ, "SCRIPE_API_KEY": server.api_key, "SCRIPE_BASE_URL": server.base_url}
    call = [sys.executable, "-m", "scripe", *words, "--ledger", str(season.path)]
    return subprocess.Popen(
        call,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=listen_to_ctrl_c,
    )


def listen_to_ctrl_c() -> None:
    """Undo what a shell does that starts the trial in the background: its children would not hear Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def expect(season: Season, server: Server, code: int, *words: str) -> str:
    """Run a command, and return what it prints."""
    child = command(season, server, *words)
    told, _ = child.communicate(timeout=PERIOD)
    if child.returncode != code:
        raise Loss(f"scripe {' '.join(words)} ended with {child.returncode} instead of {code}: {told}")
    return told


def people(seed: int, seconds: float) -> Iterator[Scenario]:
    """Yield the scenarios of this part."""
    for number, name in ((signal.SIGINT, "Ctrl-C"), (signal.SIGKILL, "kill -9")):
        yield f"{name} while a call runs, then the same command", partial(run_interrupted, number)
    yield "exit codes, list, settle, retry, backup", run_commands


def run_interrupted(number: signal.Signals) -> Season:
    with served(1) as (season, server):
        season.is_checked = True
        words = ["notes", "create", "--project-id", season.project_id, "--text", "Idea."]
        words += ["--idempotency-key", "one"]
        season.emulator.delay_next(60, method="POST", path="/notes")
        child = command(season, server, *words)
        wait_until(lambda: season.made["POST /notes", "one"] != [])
        started = time.monotonic()
        child.send_signal(number)
        told, _ = child.communicate(timeout=PERIOD)
        if time.monotonic() - started > 5:
            raise Loss(f"{number!r} took {time.monotonic() - started:.1f} s")
        if child.returncode != (130 if number == signal.SIGINT else -number):
            raise Loss(f"ended with {child.returncode}: {told}")
        if number == signal.SIGINT and "run the same command again" not in told:
            raise Loss(f"no advice: {told}")
        if "sending" not in expect(season, server, 0, "ledger", "list"):
            raise Loss("the ledger does not say what is open")
        for _ in range(2):
            told = expect(season, server, 0, *words)
        if season.emulator.count("notes") != 1 or season.made["POST /notes", "one"][0] not in told:
            raise Loss(f"{season.emulator.count('notes')} notes, and the command shows {told}")
        return season


def wait_until(is_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not is_true():
        if time.monotonic() > deadline:
            raise Loss("nothing was sent in 30 s")
        time.sleep(0.02)


def run_commands() -> Season:
    with served(1) as (season, server):
        season.is_checked = True
        run = partial(expect, season, server)
        generate = ["posts", "generate", "--project-id", season.project_id, "--wait"]
        one = [*generate, "--text", "Words.", "--idempotency-key", "one"]
        season.emulator.set_spend_remaining(0)
        run(8, *one)
        advance(server, 24 * HOUR)
        season.emulator.drop_next(3, method="POST", path="/posts/generations")
        run(11, *one)
        run(2, *generate, "--text", "Others.", "--idempotency-key", "one")
        advance(server, 25 * HOUR)
        told = run(16, *one)
        (job_id,) = season.live("POST /posts/generations", "one")
        if job_id not in told or "scripe ledger settle one" not in told:
            raise Loss(f"the job {job_id} or the command is not in {told}")
        run(16, *one)
        post_id = season.result(job_id)
        run(0, "ledger", "settle", "one", "--result-id", post_id)
        if post_id not in run(0, *one, "--json"):
            raise Loss("what was settled is not returned")
        copy = season.folder / "copy.db"
        run(0, "ledger", "backup", str(copy))
        with Ledger(copy) as ledger:
            if (item := ledger.find("one")) is None or item.result_id != post_id:
                raise Loss(f"the backup has {item!r}")
        run(0, "ledger", "retry", "one")
        if post_id in run(0, *one, "--json"):
            raise Loss("no second post after a retry")
        if season.emulator.count("posts") != 2 or len(season.live("POST /posts/generations", "one")) != 2:
            raise Loss("not one post for the call and one for the retry")
        return season


def main(api_key: str, base_url: str, project_id: str, folder: str, path: str, at: str) -> None:
    """Be the child process."""
    with Scripe(api_key, base_url=base_url, ledger=path, rate_limiter=None) as client:
        Life(client, int(at), kill_process)
        make_season(client, project_id, Path(folder))


if __name__ == "__main__":
    main(*sys.argv[1:])
