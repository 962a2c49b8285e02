"""Check that a token store does what `scripe.oauth.TokenStore` promises, with several threads and processes.

A store that breaks a rule works in every test that runs alone. It loses a login on the day when two processes refresh
it at once, or when one is killed while it saves.
"""

from __future__ import annotations

import json
import multiprocessing
import pickle
import random
import secrets
import sys
import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from multiprocessing.connection import Connection
from typing import Final, TypeAlias, TypeVar

from .._core.oauth.token_store import TokenRecord, TokenStore, make_record
from ..errors import InvalidArgumentError

T = TypeVar("T")
MakeStore: TypeAlias = Callable[[], TokenStore]

LONGEST_LEASE: Final = 30.0
PATIENCE: Final = 30.0
"""Seconds that a thread or process waits for a lock that others hold in turn, and the check for a process."""

THREADS: Final = 8
PROCESSES: Final = 5
ROUNDS: Final = 20
SHORT_TIMEOUT: Final = 0.3


class TokenStoreContractError(AssertionError):
    """A token store breaks its contract.

    Attributes:
        broken: A sentence for each rule that it breaks, by the name of the rule.

    """

    def __init__(self, broken: Mapping[str, str]) -> None:
        super().__init__(dict(broken))
        self.broken: dict[str, str] = dict(broken)

    def __str__(self) -> str:
        lines = [f"- {rule}: {sentence}" for rule, sentence in self.broken.items()]
        return "\n".join(["The token store breaks its contract:", *lines])


def check_token_store(make: MakeStore, *, between_processes: bool = True) -> None:
    """Raise TokenStoreContractError unless a token store does what `scripe.oauth.TokenStore` promises.

    It saves under names of its own, which begin with `check-`, and removes them. It starts five processes, kills four
    of them, and takes some ten seconds, or as long as the store keeps the lock of a dead process. In a script, call it
    below `if __name__ == "__main__":`, as the processes import the script.

    Args:
        make: Returns a store; all that it returns share their records. It must be importable by other processes: a
            function of a module, or `functools.partial` of one.
        between_processes: False for a store of one process. Then `make` is called once.

    Raises:
        TokenStoreContractError: the store breaks a rule; `broken` has a sentence for each.
        InvalidArgumentError: `make` cannot be given to another process.

    """
    store = make()
    trial = _Trial(store, make() if between_processes else store)
    try:
        broken = _find_broken(_RULES, trial)
        if between_processes:
            with _start_workers(make) as trial.workers:
                broken.update(_find_broken(_PROCESS_RULES, trial))
    finally:
        trial.clean()
    if broken:
        raise TokenStoreContractError(broken)


class _BrokenRule(Exception):  # noqa: N818 - it never leaves this module
    """Says in a sentence what the store did, and what it must do."""


class _Trial:
    """Two objects of the store under trial, and the names that it used.

    Attributes:
        store: The store.
        other: Another object of the same store; the same one if it is a store of one process.
        workers: Processes that have an object of the same store each.

    """

    def __init__(self, store: TokenStore, other: TokenStore) -> None:
        self.store = store
        self.other = other
        self.workers: Sequence[_Worker] = ()
        self._prefix = f"check-{secrets.token_hex(6)}"
        self._names: list[str] = []

    def new_name(self) -> str:
        """Return a name that nobody has used."""
        self._names.append(f"{self._prefix}-{len(self._names)}")
        return self._names[-1]

    def new_long_name(self) -> str:
        """Return a name as long as names may be."""
        self._names.append(self.new_name().ljust(64, "_"))
        return self._names[-1]

    def clean(self) -> None:
        """Remove what was saved."""
        for name in self._names:
            with suppress(Exception):  # the store may be broken
                self.store.pop(name)


def _find_broken(rules: Mapping[str, Callable[[_Trial], None]], trial: _Trial) -> dict[str, str]:
    """Return the rules that are broken, with a sentence for each."""
    broken: dict[str, str] = {}
    for name, rule in rules.items():
        try:
            rule(trial)
        except _BrokenRule as problem:
            broken[name] = str(problem)
        except Exception as error:  # noqa: BLE001 - whatever the store raises
            broken[name] = f"The store raised {type(error).__name__}: {error}"
    return broken


def _require(is_kept: bool, sentence: str) -> None:  # noqa: FBT001 - like `assert`
    if not is_kept:
        raise _BrokenRule(sentence)


# One thread


def _check_load(trial: _Trial) -> None:
    name, record = (
        trial.new_name(),
        make_record(json.dumps({"text": "\n\0'\"\\ ß \U0001f512", "long": "x" * 100_000})),
    )
    _require(trial.store.load(name) is None, "load returns a record under a new name. It must return None.")
    _require(trial.store.save(name, record) is True, "save returned something else than True.")
    _require(trial.store.load(name) == record, "load returns another record than the one that was saved.")
    _require(
        trial.other.load(name) == record, "Another object of the store does not load what one has saved."
    )


def _check_save(trial: _Trial) -> None:
    name, record = trial.new_name(), make_record("2")
    trial.store.save(name, make_record("1"))
    _require(trial.store.save(name, record) is True, "save does not return True over another record.")
    _require(trial.store.load(name) == record, "save does not replace the record without `only_over`.")


def _check_names(trial: _Trial) -> None:
    names = [trial.new_name(), trial.new_long_name()]
    names += [f"{names[0]}-", f"{names[0]}_", names[1][:-1]]
    records = {name: make_record(json.dumps(name)) for name in names}
    for name, record in records.items():
        trial.store.save(name, record)
    loaded = {name: trial.store.load(name) for name in names}
    for name in names:
        trial.store.pop(name)
    _require(
        loaded == records, "Two names share a record. Names are up to 64 of a-z, 0-9, hyphen and underscore."
    )


def _check_only_over(trial: _Trial) -> None:
    name, first, second = trial.new_name(), make_record("1"), make_record("2")
    save = partial(trial.store.save, name)
    _require(
        save(first, first.revision) is False,
        "save with `only_over` must return False if no record is stored.",
    )
    _require(trial.store.load(name) is None, "save has returned False, and has saved the record.")
    save(first)
    _require(
        save(second, second.revision) is False,
        "save must return False if `only_over` is another revision than the stored one.",
    )
    _require(trial.store.load(name) == first, "save has returned False, and has replaced the record.")
    _require(
        save(second, first.revision) is True, "save must return True if `only_over` is the stored revision."
    )
    _require(trial.store.load(name) == second, "save with `only_over` has returned True, and has not saved.")


def _check_pop(trial: _Trial) -> None:
    name, record = trial.new_name(), make_record("1")
    _require(trial.store.pop(name) is None, "pop must return None if no record is stored.")
    trial.store.save(name, record)
    _require(trial.store.pop(name) == record, "pop returns another record than the one that was saved.")
    _require(trial.store.load(name) is None, "pop does not remove the record.")
    _require(trial.store.pop(name) is None, "pop returns a record that was removed.")


# Several threads


def _check_thread_saves(trial: _Trial) -> None:
    name = trial.new_name()
    for _ in range(ROUNDS):
        first, rivals = make_record("0"), [make_record(str(number)) for number in range(THREADS)]
        trial.store.save(name, first)
        results = _run_at_once([partial(trial.store.save, name, rival, first.revision) for rival in rivals])
        winners = [rival for rival, is_saved in zip(rivals, results, strict=True) if is_saved]
        _require(
            len(winners) == 1,
            f"{len(winners)} of {THREADS} threads saved over the same revision. One must, since comparing and saving "
            "are one step.",
        )
        _require(
            trial.store.load(name) == winners[0], "A save over an older revision has replaced a newer one."
        )


def _check_thread_pops(trial: _Trial) -> None:
    name = trial.new_name()
    for _ in range(ROUNDS):
        trial.store.save(name, make_record("1"))
        results = _run_at_once([partial(trial.store.pop, name)] * THREADS)
        count = len([record for record in results if record is not None])
        _require(count == 1, f"{count} of {THREADS} threads got the same record from pop. One must.")


def _check_thread_locks(trial: _Trial) -> None:
    name = trial.new_name()
    inside: list[object] = []
    crowds: list[int] = []

    def enter(store: TokenStore) -> None:
        for _ in range(3):
            with store.lock(name, PATIENCE):
                inside.append(None)
                time.sleep(0.002)
                crowds.append(len(inside))
                inside.pop()

    _run_at_once([partial(enter, store) for store in (trial.store, trial.other) for _ in range(THREADS // 2)])
    _require(max(crowds) == 1, f"{max(crowds)} threads held the lock of one name at once. One may.")


def _check_lock_timeout(trial: _Trial) -> None:
    name = trial.new_name()
    with ThreadPoolExecutor(1) as pool, trial.store.lock(name, PATIENCE):
        attempt = pool.submit(_seconds_until_timeout, trial.other, name)
        with suppress(TimeoutError):
            attempt.result(timeout=SHORT_TIMEOUT + 5)
        _require(attempt.done(), f"lock has waited for 5 seconds more than its timeout of {SHORT_TIMEOUT:g}.")
    seconds = attempt.result()
    _require(seconds is not None, "lock let a second caller in. Entering must raise TimeoutError.")
    _require(
        (seconds or 0) >= SHORT_TIMEOUT / 2, "lock raised TimeoutError long before its timeout had passed."
    )


def _check_lock_release(trial: _Trial) -> None:
    name = trial.new_name()
    with suppress(KeyError), trial.store.lock(name, PATIENCE):
        raise KeyError
    with suppress(TimeoutError), trial.other.lock(name, SHORT_TIMEOUT):
        return
    raise _BrokenRule("The lock was not released by an error inside of its `with` block.")


def _check_lock_names(trial: _Trial) -> None:
    name, other = trial.new_name(), trial.new_name()
    with trial.store.lock(name, PATIENCE):
        with suppress(TimeoutError), trial.other.lock(other, SHORT_TIMEOUT):
            return
        raise _BrokenRule("The lock of one name is in the way of another name's.")


def _check_lock_is_of_lockers(trial: _Trial) -> None:
    name, record = trial.new_name(), make_record("1")

    def change() -> bool:
        return trial.other.save(name, record) and trial.other.load(name) == record == trial.other.pop(name)

    with ThreadPoolExecutor(1) as pool, trial.store.lock(name, PATIENCE):
        changing = pool.submit(change)
        with suppress(TimeoutError):
            changing.result(timeout=PATIENCE / 3)
        _require(
            changing.done(), "load, save and pop wait for a lock that somebody else holds. They must not."
        )
    _require(changing.result(), "load, save or pop fail while somebody else holds the lock.")


def _seconds_until_timeout(store: TokenStore, name: str) -> float | None:
    """Return how long a lock waited until it raised TimeoutError; None if it let its caller in."""
    start = time.monotonic()
    try:
        with store.lock(name, SHORT_TIMEOUT):
            return None
    except TimeoutError:
        return time.monotonic() - start


def _run_at_once(functions: Sequence[Callable[[], T]]) -> list[T]:
    """Run functions in a thread each, which start at the same moment, and return their results."""
    barrier = threading.Barrier(len(functions))

    def start(function: Callable[[], T]) -> T:
        barrier.wait()
        return function()

    with _few_bytecodes_per_turn(), ThreadPoolExecutor(len(functions)) as pool:
        return list(pool.map(start, functions))


@contextmanager
def _few_bytecodes_per_turn() -> Generator[None]:
    """Let threads take turns so often that a step which is not atomic is interrupted."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        yield
    finally:
        sys.setswitchinterval(interval)


# Several processes


class _Worker:
    """A process with a store of its own, which runs one task after the other."""

    def __init__(self, make: MakeStore) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(make, theirs), daemon=True)
        self._process.start()
        theirs.close()
        self._is_busy = False

    def start(self, task: Callable[..., object], *arguments: object) -> None:
        """Start a task: a function of this module that gets the store, a connection and the arguments."""
        with suppress(_BrokenRule, OSError):  # a rule that was broken may have left a task behind
            self.stop()
        try:
            self._connection.send((task, arguments))
        except OSError:
            raise _BrokenRule(_ENDED) from None
        self._is_busy = True

    def receive(self) -> object:
        """Return what the task sends next, which is its result in the end."""
        if not self._connection.poll(PATIENCE * 2):
            self.kill()
            raise _BrokenRule("A process hangs in a method of the store.")
        try:
            is_result, message = self._connection.recv()
        except (EOFError, OSError):
            self._is_busy = False
            raise _BrokenRule(_ENDED) from None
        self._is_busy = not is_result
        if isinstance(message, _Failure):
            raise _BrokenRule(f"In another process the store raised {message.text}")
        return message

    def receive_for(self, seconds: float) -> Generator[object]:
        """Iterate over what the task sends within some seconds."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0 and self._connection.poll(left):
            yield self.receive()

    def stop(self) -> None:
        """Let a task end that waits for a message, unless it has ended."""
        if self._is_busy:
            self._connection.send(None)
            while self._is_busy:
                self.receive()

    def kill(self) -> list[object]:
        """Kill the process, and return what its task had sent until then."""
        self._process.kill()
        self._process.join()
        self._is_busy = False
        messages: list[object] = []
        with suppress(EOFError, OSError):
            while True:
                messages.append(self._connection.recv()[1])
        return messages

    def close(self) -> None:
        """End the process."""
        self._connection.close()
        self._process.join(5)
        self._process.kill()
        self._process.join()
        self._process.close()


_ENDED: Final = "A process ended by itself: see what it printed."


class _Failure:
    """An error that the store raised in another process."""

    def __init__(self, error: Exception) -> None:
        self.text = f"{type(error).__name__}: {error}"


@contextmanager
def _start_workers(make: MakeStore) -> Generator[Sequence[_Worker]]:
    try:
        pickle.loads(pickle.dumps(make))  # noqa: S301 - it was made here
    except Exception as error:
        raise InvalidArgumentError(
            f"make cannot be given to another process: {error}. Give a function of a module, or functools.partial of "
            "one; or between_processes=False, if the store is one of one process."
        ) from error
    workers = [_Worker(make) for _ in range(PROCESSES)]
    try:
        yield workers
    finally:
        for worker in workers:
            worker.close()


def _serve(make: MakeStore, connection: Connection) -> None:
    """Run tasks until the other side closes the connection, or ends."""
    store: TokenStore | None = None
    with suppress(EOFError, OSError):
        while True:
            message = connection.recv()
            if message is None:  # it was for a task that has ended
                continue
            task, arguments = message
            try:
                store = store or make()
                result = task(store, connection, *arguments)
            except Exception as error:  # noqa: BLE001 - whatever the store raises
                result = _Failure(error)
            connection.send((True, result))


def _do_nothing(store: TokenStore, _connection: Connection) -> None:
    """Return at once: the store has been made."""


def _increment_with_lock(store: TokenStore, _connection: Connection, name: str) -> None:
    """Add 1 to a number several times: load it, and save it, while holding the lock."""
    for _ in range(ROUNDS):
        with store.lock(name, PATIENCE):
            record = store.load(name)
            time.sleep(0.001)
            store.save(name, make_record(str(_number_in(record) + 1)))


def _increment_without_lock(store: TokenStore, _connection: Connection, name: str) -> None:
    """Add 1 to a number several times: load it, and save it over what was loaded, until that succeeds."""
    saved, deadline = 0, time.monotonic() + PATIENCE
    while saved < ROUNDS and time.monotonic() < deadline:
        record = store.load(name)
        if record is None:
            return
        saved += store.save(name, make_record(str(_number_in(record) + 1)), record.revision)


def _pop_all(store: TokenStore, _connection: Connection, names: Sequence[str]) -> int:
    """Return of how many names this process got the record."""
    return len([name for name in names if store.pop(name) is not None])


def _hold_lock(store: TokenStore, connection: Connection, name: str) -> None:
    """Hold a lock until a message comes."""
    with store.lock(name, PATIENCE):
        connection.send((False, "held"))
        connection.recv()


def _save_until_message(store: TokenStore, connection: Connection, name: str) -> None:
    """Save one record after the other, and send the number of each that is saved, until a message comes."""
    number = 0
    while not connection.poll():
        number += 1
        store.save(name, _whole_record(number))
        connection.send((False, number))
    connection.recv()


def _check_start(trial: _Trial) -> None:
    for worker in trial.workers:
        worker.start(_do_nothing)
    for worker in trial.workers:
        worker.receive()


def _check_process_locks(trial: _Trial) -> None:
    total = _count_in_processes(trial, _increment_with_lock)
    _require(
        total == PROCESSES * ROUNDS,
        f"{PROCESSES} processes added 1 to a number {PROCESSES * ROUNDS} times, each holding the lock from load to "
        f"save. It is {total}: several held the lock at once.",
    )


def _check_process_saves(trial: _Trial) -> None:
    total = _count_in_processes(trial, _increment_without_lock)
    _require(
        total == PROCESSES * ROUNDS,
        f"{PROCESSES} processes added 1 to a number {PROCESSES * ROUNDS} times, each saving over the revision that it "
        f"had loaded. It is {total}: save does not compare and save in one step.",
    )


def _check_process_pops(trial: _Trial) -> None:
    names = [trial.new_name() for _ in range(ROUNDS)]
    for name in names:
        trial.store.save(name, make_record("1"))
    for worker in trial.workers:
        worker.start(_pop_all, names)
    count = sum(int(str(worker.receive())) for worker in trial.workers)
    _require(
        count == ROUNDS, f"{PROCESSES} processes popped {ROUNDS} records, and got {count}. Each is for one."
    )


def _check_held_by_process(trial: _Trial) -> None:
    name, holder = trial.new_name(), trial.workers[0]
    holder.start(_hold_lock, name)
    holder.receive()
    seconds = _seconds_until_timeout(trial.store, name)
    holder.stop()
    _require(seconds is not None, "A lock that another process holds was given to this one.")
    with trial.store.lock(name, PATIENCE):
        pass


def _check_killed_holder(trial: _Trial) -> None:
    name, holder = trial.new_name(), trial.workers[1]
    holder.start(_hold_lock, name)
    holder.receive()
    holder.kill()
    with suppress(TimeoutError), trial.store.lock(name, LONGEST_LEASE + 2):
        return
    raise _BrokenRule(
        f"A process was killed while it held the lock, and {LONGEST_LEASE:g} seconds later it is not free."
    )


def _check_whole_while_saving(trial: _Trial) -> None:
    name, saver = trial.new_name(), trial.workers[0]
    saver.start(_save_until_message, name)
    try:
        for _ in saver.receive_for(1.0):
            _check_whole(trial.store.load(name), 1)
    finally:
        saver.stop()


def _check_whole_after_kill(trial: _Trial) -> None:
    for saver in trial.workers[2:]:
        name = trial.new_name()
        saver.start(_save_until_message, name)
        seconds = random.uniform(0.1, 0.4)  # noqa: S311 - it hides nothing
        saved = [saver.receive(), *saver.receive_for(seconds), *saver.kill()]
        _check_whole(trial.store.load(name), max(number for number in saved if isinstance(number, int)))
        trial.store.save(name, _whole_record(0))
        _check_whole(trial.store.load(name), 0)


def _count_in_processes(trial: _Trial, task: Callable[..., None]) -> int:
    """Let all processes add to a number, and return it."""
    name = trial.new_name()
    trial.store.save(name, make_record("0"))
    for worker in trial.workers:
        worker.start(task, name)
    for worker in trial.workers:
        worker.receive()
    return _number_in(trial.store.load(name))


def _number_in(record: TokenRecord | None) -> int:
    return int(record.content) if record else 0


def _whole_record(number: int) -> TokenRecord:
    return TokenRecord(str(number), json.dumps([str(number)] * 5_000))


def _check_whole(record: TokenRecord | None, at_least: int) -> None:
    """Check that a record is one of those that were saved, and not an older one than the last."""
    _require(
        record is not None,
        "load returns None while, or after, another process saves. It must return a record.",
    )
    number = int(record.revision) if record else 0
    _require(
        record == _whole_record(number),
        "load returns parts of records while, or after, another process saves.",
    )
    _require(number >= at_least, "A record was lost with the process that had saved it.")


_RULES: Final[Mapping[str, Callable[[_Trial], None]]] = {
    "load": _check_load,
    "save": _check_save,
    "names": _check_names,
    "only_over": _check_only_over,
    "pop": _check_pop,
    "only_over in threads": _check_thread_saves,
    "pop in threads": _check_thread_pops,
    "lock in threads": _check_thread_locks,
    "lock timeout": _check_lock_timeout,
    "lock release": _check_lock_release,
    "lock names": _check_lock_names,
    "lock of lockers": _check_lock_is_of_lockers,
}
_PROCESS_RULES: Final[Mapping[str, Callable[[_Trial], None]]] = {
    "make in processes": _check_start,
    "lock in processes": _check_process_locks,
    "only_over in processes": _check_process_saves,
    "pop in processes": _check_process_pops,
    "lock held by a process": _check_held_by_process,
    "lock of a killed process": _check_killed_holder,
    "save beside load": _check_whole_while_saving,
    "save of a killed process": _check_whole_after_kill,
}
