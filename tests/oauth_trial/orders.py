"""Random orders of request, exchange, refresh, lose, revoke and crash, held against a model.

The model: a call returns the workspace that was chosen last, or one named error that something explains; and a new
sign-in always helps.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

from scripe import ConsentDeniedError, ExchangeLostError
from tests.oauth.signing_in import NAME, sign_in
from tests.oauth.test_refresh import change_login, expire_by_server

from .processes import PATIENCE, STEPS, Kind, Loss, Process, Worker
from .worlds import TOKEN, Scenario, World, join_refreshes, make_world

ATTEMPTS = 4
"""Requests of one refresh."""


class Actor(Protocol):
    """Something that obeys: a process, or what stands for one in this process."""

    def send(self, action: str, **words: Any) -> None: ...

    def receive(self) -> dict[str, Any] | None: ...


class Death(BaseException):
    """Stands for the end of a process, where that of a real one takes too long to begin again."""


class MortalWorker(Worker):
    def die(self) -> None:
        raise Death


class LocalActor:
    """Shares nothing with others but the store, as a process does, and is there at once."""

    def __init__(self, threads: ThreadPoolExecutor) -> None:
        self._worker, self._threads = MortalWorker(), threads
        self._result: Future[dict[str, Any]] | None = None

    def send(self, action: str, **words: Any) -> None:
        self._result = self._threads.submit(self._worker.obey, action, **words)

    def receive(self) -> dict[str, Any] | None:
        assert self._result is not None
        try:
            return self._result.result(PATIENCE)
        except Death:
            return None
        except TimeoutError:
            raise Loss("a call hangs") from None


def scenarios(seed: int, seconds: float) -> Iterator[Scenario]:
    """Yield orders for a number of seconds: half of them in this process, half of them in others."""
    with ThreadPoolExecutor() as threads:
        make_local = partial(LocalActor, threads)
        yield from _orders(
            f"{seed}/local", seconds / 2, "two applications", ("memory", "file", "SQL"), make_local
        )
    yield from _orders(
        f"{seed}/real", seconds / 2, "two processes", ("file", "SQL with a brief lease"), Process
    )


def _orders(
    seed: str, seconds: float, name: str, kinds: tuple[Kind, ...], make_actor: Callable[[], Actor]
) -> Iterator[Scenario]:
    number, until = 0, time.monotonic() + seconds
    actors = [make_actor(), make_actor()]
    while time.monotonic() < until:
        number += 1
        yield f"{name}, in any order", partial(run_order, f"{seed}/{number}", kinds, make_actor, actors)
    for actor in actors:
        if isinstance(actor, Process):
            actor.close()


def run_order(
    seed: str, kinds: tuple[Kind, ...], make_actor: Callable[[], Actor], actors: list[Actor]
) -> None:
    choose = random.Random(seed)
    grace = choose.choice([30.0, 0.0])
    with make_world(choose.choice(kinds), oauth_reuse_grace=grace) as world:
        order = Order(world, choose, grace > 0, make_actor, actors)
        try:
            order.run(choose.randint(4, 14))
        except Exception as error:
            raise Loss(f"{error}\nafter {'; '.join(order.story)}") from error


@dataclass
class Order:
    """One order, and the model of what may come of it."""

    world: World
    choose: random.Random
    has_grace: bool
    make_actor: Callable[[], Actor]
    actors: list[Actor]
    is_signed_in: bool = False
    is_revoked: bool = False  # by the server
    maybe_lost: bool = False  # a response, since the last sign-in
    ended: str | None = None  # the reason that was named
    refreshes: int = 0  # that may be accepted
    workspaces: list[str] = field(default_factory=list[str])  # the one that was chosen last comes first
    story: list[str] = field(default_factory=list[str])

    def run(self, length: int) -> None:
        emulator = self.world.emulator
        self.workspaces = [emulator.workspace_id, emulator.create_workspace("Other")]
        self.user = emulator.oauth.add_user("Grace", self.workspaces)
        for index in range(len(self.actors)):
            self.open(index)
        for _ in range(length):
            action = self.choose.choice(ACTIONS)
            self.story.append(action.__name__)
            action(self)
            emulator.clear_faults()
            join_refreshes()
            if len(emulator.oauth.refreshes) > self.refreshes:
                raise Loss(f"{len(emulator.oauth.refreshes)} refreshes instead of {self.refreshes}")
        call(self)
        sign_in_again(self)
        call(self)

    def open(self, index: int) -> None:
        self.actors[index].send(
            "open",
            kind=self.world.kind,
            folder=str(self.world.folder),
            client_id=self.world.app.client_id,
            base_url=self.world.server.base_url,
            **({"store": self.world.store} if self.world.kind == "memory" else {}),
        )
        self.actors[index].receive()

    def call_from(self, *indices: int, faults: int = 0, mortal: int | None = None) -> None:
        """Let some call at the same moment, and hold what comes of it against the model."""
        for index in indices:
            self.actors[index].send("call")
        for index in indices:
            result = self.actors[index].receive()
            if result and result.get("error") == "AuthenticationError":
                # It took over the token of another one, which was over as well. Its next call refreshes.
                self.actors[index].send("call")
                result = self.actors[index].receive()
            self.story.append(
                f"{index}: {result and (result.get('reason') or result.get('error') or 'works')}"
            )
            if result is None and index == mortal:
                self.actors[index] = self.make_actor()
                self.open(index)
            elif result is None:
                raise Loss("died without an order")
            else:
                self.judge(result, faults)
        if mortal is not None:
            self.open(mortal)  # it lives on if it had nothing to refresh

    def judge(self, result: dict[str, Any], faults: int) -> None:
        error, reason = result.get("error"), result.get("reason")
        if error is None:
            is_over = self.ended or self.is_revoked or not self.is_signed_in
            if is_over or result["result"] != self.workspaces[0]:
                raise Loss(f"a wrong token: {result}")
        elif error == "ConsentRequiredError":
            explained = {
                "missing": not self.is_signed_in,
                "revoked": self.is_signed_in and self.is_revoked,
                "response_lost": self.maybe_lost and (self.is_revoked or not self.has_grace),
            }
            if not explained.get(str(reason), False) or self.ended not in (None, reason):
                raise Loss(f"unexplained: {result}")
            self.ended = reason
        elif faults < ATTEMPTS or error not in ("APIConnectionError", "APITimeoutError", "OAuthError"):
            raise Loss(f"unexplained: {result}")

    def expire(self) -> None:
        """Let the access token be over, by the clock or by the server."""
        self.refreshes += 1
        expire_by_server(self.world.emulator, self.world.app, self.world.store)
        if self.is_signed_in and self.choose.random() < 0.5:
            change_login(self.world.store, self.world.app, expires_at=time.time() - 1)

    def some(self) -> list[int]:
        return self.choose.choice([[0], [1], [0, 1]])


def call(order: Order) -> None:
    order.call_from(0, 1)


def refresh(order: Order) -> None:
    order.expire()
    order.call_from(*order.some())


def refresh_slowly(order: Order) -> None:
    order.expire()
    order.world.emulator.delay_next(0.1, path=TOKEN)
    order.call_from(0, 1)


def lose(order: Order) -> None:
    """Lose responses of the token endpoint; what was asked for is done."""
    order.expire()
    times = order.choose.randint(1, 5)
    order.maybe_lost = True
    order.refreshes += times
    order.world.emulator.drop_next(times, path=TOKEN)
    order.call_from(*order.some(), faults=times)


def lose_requests(order: Order) -> None:
    """Lose requests, or fail them, so that nothing is done; the client cannot tell the first from a lost response."""
    order.expire()
    times = order.choose.randint(1, 5)
    order.maybe_lost = True
    emulator, status = order.world.emulator, order.choose.choice([0, 429, 500, 503])
    if status:
        emulator.fail_next(status, times=times, path=TOKEN)
    else:
        emulator.drop_next(times, before=True, path=TOKEN)
    order.call_from(*order.some(), faults=times)


def crash(order: Order) -> None:
    """Let one of two die at a step of its refresh, alone or beside the other."""
    order.expire()
    index, step = order.choose.randint(0, 1), order.choose.choice(STEPS)
    order.story.append(f"{index} dies at {step!r}")
    if step in ("send", "receive", "save"):  # an intent is left
        order.maybe_lost = True
        order.refreshes += 1
    order.actors[index].send("die_at", step=step, number=9)
    order.actors[index].receive()
    order.call_from(*order.choose.choice([[index], [0, 1]]), mortal=index)


def revoke_at_the_server(order: Order) -> None:
    order.world.emulator.oauth.revoke(order.world.app.client_id)
    order.is_revoked = order.is_signed_in


def revoke(order: Order) -> None:
    order.world.app.revoke(NAME)
    order.is_signed_in, order.is_revoked, order.ended = False, False, None


def sign_in_again(order: Order) -> None:
    """Sign in; half of the times to the other workspace. The tokens of the login before are over then."""
    if order.choose.random() < 0.5:
        order.workspaces.reverse()
    world = order.world
    request = world.app.authorization_request(NAME)
    callback_url = world.emulator.oauth.consent(request.url, order.user, workspace_id=order.workspaces[0])
    world.app.exchange(NAME, callback_url, state=request.state, replace=True)
    order.is_signed_in, order.is_revoked, order.maybe_lost, order.ended = True, False, False, None
    order.expire()
    order.call_from(*order.some())


def be_denied(order: Order) -> None:
    try:
        sign_in(order.world.emulator, order.world.app, allow=False)
    except ConsentDeniedError:
        return
    raise Loss("a login without consent")


def lose_the_exchange(order: Order) -> None:
    """Lose the response to a code: the login of before goes on."""
    order.world.emulator.drop_next(path=TOKEN)
    try:
        sign_in(order.world.emulator, order.world.app)
    except ExchangeLostError:
        return
    raise Loss("a login without a response")


ACTIONS = (
    call,
    refresh,
    refresh,
    refresh_slowly,
    lose,
    lose_requests,
    crash,
    crash,
    revoke_at_the_server,
    revoke,
    sign_in_again,
    sign_in_again,
    be_denied,
    lose_the_exchange,
)
