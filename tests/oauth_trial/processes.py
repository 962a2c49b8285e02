"""Other processes: each does what its standard input says, and dies at a step of a refresh if that is said."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

from scripe import AsyncScripe, Scripe, ScripeError
from scripe.oauth import FileTokenStore, MemoryTokenStore, OAuthApp, TokenRecord, TokenStore
from tests.oauth.signing_in import CALLBACK, NAME
from tests.oauth.stores import brief_sql_store, sql_store

Kind: TypeAlias = Literal["memory", "file", "SQL", "SQL with a brief lease"]
Step: TypeAlias = Literal["lock", "re-read", "save the intent", "send", "receive", "save", "saved"]
STEPS: tuple[Step, ...] = ("lock", "re-read", "save the intent", "send", "receive", "save", "saved")
PATIENCE = 60.0
"""Seconds after which something hangs."""


class Loss(Exception):  # noqa: N818 - what a trial is about
    """A login that was lost, a wrong token, or something that hangs."""


def make_store(kind: Kind, folder: Path) -> TokenStore:
    """Make a store; each process can make the same one, unless it is in memory."""
    if kind == "memory":
        return MemoryTokenStore()
    if kind == "file":
        return FileTokenStore(folder)
    return (sql_store if kind == "SQL" else brief_sql_store)(folder / "tokens.db")


@dataclass
class SteppedStore:
    """A store that says which step of a refresh begins."""

    store: TokenStore
    reach: Callable[[Step], None]
    is_held: bool = False

    def load(self, name: str) -> TokenRecord | None:
        if self.is_held:
            self.reach("re-read")
        return self.store.load(name)

    def save(self, name: str, record: TokenRecord, only_over: str | None = None) -> bool:
        if not self.is_held:
            return self.store.save(name, record, only_over)
        if json.loads(record.content)["refreshing"]:
            self.reach("save the intent")
            return self.store.save(name, record, only_over)
        self.reach("save")
        is_saved = self.store.save(name, record, only_over)
        self.reach("saved")
        return is_saved

    def pop(self, name: str) -> TokenRecord | None:
        return self.store.pop(name)

    def lock(self, name: str, timeout: float) -> AbstractContextManager[None]:
        self.reach("lock")
        return self._hold(name, timeout)

    @contextmanager
    def _hold(self, name: str, timeout: float) -> Generator[None]:
        with self.store.lock(name, timeout):
            self.is_held = True
            try:
                yield
            finally:
                self.is_held = False


def make_stepped_app(client_id: str, store: TokenStore, reach: Callable[[Step], None]) -> OAuthApp:
    """Make an application that says which step of a refresh begins."""
    app = OAuthApp(client_id=client_id, redirect_uri=CALLBACK, token_store=SteppedStore(store, reach))
    server = app._server  # pyright: ignore[reportPrivateUsage]
    send_form = server.send_form

    def send_in_steps(*words: Any) -> Any:
        reach("send")
        outcome = send_form(*words)
        reach("receive")
        return outcome

    server.send_form = send_in_steps  # type: ignore[assignment]
    return app


class Process:
    """A process that was started, seen from the one that gives it orders."""

    def __init__(self) -> None:
        self._child = subprocess.Popen(
            [sys.executable, "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.is_alive = True

    def send(self, action: str, **words: object) -> None:
        """Give an order, without waiting for what comes of it."""
        assert self._child.stdin is not None
        self._child.stdin.write(json.dumps({"action": action, **words}) + "\n")
        self._child.stdin.flush()

    def receive(self) -> dict[str, Any] | None:
        """Return what came of an order; None if the process has died of it."""
        assert self._child.stdout is not None
        hangs = threading.Event()

        def kill() -> None:
            hangs.set()
            self._child.kill()

        watchdog = threading.Timer(PATIENCE, kill)
        watchdog.start()
        try:
            line = self._child.stdout.readline()
        finally:
            watchdog.cancel()
        if line:
            result: dict[str, Any] = json.loads(line)
            return result
        code, problem = self.close()
        if hangs.is_set():
            raise Loss("the process hangs")
        # After Ctrl-C Python ends with a status of its own if a thread has imported something meanwhile.
        is_interrupted = problem.rstrip().endswith("KeyboardInterrupt")
        if code not in (-signal.SIGKILL, -signal.SIGINT) and not is_interrupted:
            raise Loss(f"the process ended with {code}: {problem}")
        return None

    def order(self, action: str, **words: object) -> dict[str, Any] | None:
        self.send(action, **words)
        return self.receive()

    def kill(self) -> None:
        self._child.kill()

    def close(self) -> tuple[int, str]:
        """End the process; return its code and what it printed as errors."""
        self.is_alive = False
        _, problem = self._child.communicate(timeout=PATIENCE)
        return self._child.returncode, problem


@dataclass
class Worker:
    """What a process has at hand."""

    credentials: Any = None
    deadly: Step | None = None
    number: int = signal.SIGKILL

    def open(
        self, kind: Kind, folder: str, client_id: str, base_url: str, store: TokenStore | None = None
    ) -> None:
        """Begin to use the login of a world; only within one process can a store be given."""
        os.environ["SCRIPE_BASE_URL"] = base_url
        self.deadly = None
        app = make_stepped_app(client_id, store or make_store(kind, Path(folder)), self.reach)
        self.credentials = app.credentials(NAME)

    def die_at(self, step: Step, number: int) -> None:
        self.deadly, self.number = step, number

    def reach(self, step: Step) -> None:
        if step == self.deadly:
            self.die()

    def die(self) -> None:
        os.kill(os.getpid(), self.number)
        time.sleep(0.2)  # the main thread is interrupted, and begins to exit

    def call(self) -> str:
        with Scripe(auth=self.credentials, rate_limiter=None) as client:
            return client.workspaces.me().workspace.id

    def call_in_asyncio(self) -> str:
        return asyncio.run(self._call_in_task())

    def call_in_trio(self) -> str:
        import trio  # only where it is needed: processes begin sooner

        return trio.run(self._call_in_task)

    async def _call_in_task(self) -> str:
        async with AsyncScripe(auth=self.credentials, rate_limiter=None) as client:
            return (await client.workspaces.me()).workspace.id

    def meet(self, threads: int, at: float) -> str:
        """Call in many threads at one moment; return the workspaces that were seen, joined."""
        found: set[str] = set()
        with Scripe(auth=self.credentials, rate_limiter=None) as client:

            def call() -> None:
                try:
                    found.add(client.workspaces.me().workspace.id)
                except ScripeError as error:
                    found.add(repr(error))

            time.sleep(max(0.0, at - time.time()))
            callers = [threading.Thread(target=call) for _ in range(threads)]
            for caller in callers:
                caller.start()
            for caller in callers:
                caller.join()
        return " and ".join(found)

    def obey(self, action: str, **words: Any) -> dict[str, Any]:
        """Do what an order says, and return what came of it."""
        try:
            return {"result": getattr(self, action)(**words)}
        except ScripeError as error:
            reason = getattr(error, "reason", None)
            return {"error": type(error).__name__, "reason": reason, "text": str(error)}


def main() -> None:
    """Be the other process."""
    worker = Worker()
    for line in sys.stdin:
        sys.stdout.write(json.dumps(worker.obey(**json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
