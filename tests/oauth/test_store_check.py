"""`check_token_store` refuses each store that breaks a rule."""

from __future__ import annotations

import pickle
import subprocess
import sys
import textwrap
from functools import partial
from pathlib import Path

import pytest

from scripe import InvalidArgumentError
from scripe.oauth import FileTokenStore, MemoryTokenStore, TokenRecord
from scripe.testing import TokenStoreContractError, check_token_store, token_store

from . import broken_stores as broken

IN_ONE_PROCESS: dict[type[MemoryTokenStore], str] = {
    broken.LoadRaises: "load",
    broken.LoadCuts: "load",
    broken.LoadInvents: "load",
    broken.SaveReturnsNone: "save",
    broken.SaveOnlyInserts: "save",
    broken.SaveRefusesToReplace: "save",
    broken.NamesAreCut: "names",
    broken.OnlyOverIsIgnored: "only_over",
    broken.OnlyOverInserts: "only_over",
    broken.OnlyOverInsertsAndDenies: "only_over",
    broken.OnlyOverSavesAndDenies: "only_over",
    broken.OnlyOverNeverSaves: "only_over",
    broken.OnlyOverForgets: "only_over",
    broken.PopRaises: "pop",
    broken.PopInvents: "pop",
    broken.PopReturnsAnother: "pop",
    broken.PopKeeps: "pop",
    broken.PopHides: "pop",
    broken.SaveInTwoSteps: "only_over in threads",
    broken.SaveIsUndone: "only_over in threads",
    broken.PopInTwoSteps: "pop in threads",
    broken.LockIsNone: "lock in threads",
    broken.LockWaitsForever: "lock timeout",
    broken.LockIsImpatient: "lock timeout",
    broken.LockStays: "lock release",
    broken.LockIsOfAll: "lock names",
    broken.LockIsInTheWay: "lock of lockers",
    broken.SaveFailsBesideLock: "lock of lockers",
}
BETWEEN_PROCESSES: dict[type[FileTokenStore], str] = {
    broken.EndsElsewhere: "make in processes",
    broken.FailsElsewhere: "make in processes",
    broken.HangsElsewhere: "lock in processes",
    broken.LockOfThreads: "lock in processes",
    broken.StepsOfThreads: "only_over in processes",
    broken.LockThatStays: "lock of a killed process",
    broken.Overwrites: "save beside load",
    broken.OverwritesUnseen: "save of a killed process",
    broken.SavesLater: "save of a killed process",
}


@pytest.mark.parametrize("store", IN_ONE_PROCESS, ids=lambda store: store.__name__)
def test_a_store_that_breaks_a_rule_is_refused(
    store: type[MemoryTokenStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(token_store, "PATIENCE", 3)
    with pytest.raises(TokenStoreContractError) as caught:
        check_token_store(store, between_processes=False)
    print(store.__name__, caught.value)
    assert IN_ONE_PROCESS[store] in caught.value.broken


@pytest.mark.parametrize("store", BETWEEN_PROCESSES, ids=lambda store: store.__name__)
def test_a_store_that_breaks_a_rule_between_processes_is_refused(
    store: type[FileTokenStore], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(token_store, "LONGEST_LEASE", 0.5)
    monkeypatch.setattr(token_store, "PATIENCE", 1 if store is broken.HangsElsewhere else 3)
    with pytest.raises(TokenStoreContractError) as caught:
        check_token_store(partial(store, tmp_path / "tokens"))
    print(store.__name__, caught.value)
    assert BETWEEN_PROCESSES[store] in caught.value.broken


def test_a_store_of_one_process_does_not_pass_for_one_of_several() -> None:
    with pytest.raises(TokenStoreContractError) as caught:
        check_token_store(MemoryTokenStore)
    assert {"load", "lock in threads", "lock timeout", "lock in processes"} <= caught.value.broken.keys()


def test_what_other_processes_cannot_make_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError):
        check_token_store(lambda: FileTokenStore(tmp_path))


def test_the_error_has_a_sentence_for_each_rule() -> None:
    with pytest.raises(AssertionError) as caught:
        check_token_store(broken.PopKeeps, between_processes=False)
    assert isinstance(caught.value, TokenStoreContractError)
    for rule, sentence in caught.value.broken.items():
        assert f"{rule}: {sentence}" in str(caught.value)


def test_the_error_travels() -> None:
    arrived = pickle.loads(pickle.dumps(TokenStoreContractError({"load": "It returns nothing."})))
    assert arrived.broken == {"load": "It returns nothing."}


def test_nothing_is_left_in_the_store() -> None:
    store = MemoryTokenStore()
    store.save("mine", TokenRecord("1", "2"))
    check_token_store(lambda: store, between_processes=False)
    assert vars(store)["_records"] == {"mine": TokenRecord("1", "2")}


def test_it_needs_neither_pytest_nor_an_extra(tmp_path: Path) -> None:
    script = tmp_path / "check.py"
    script.write_text(
        textwrap.dedent("""
            import sys
            from scripe.oauth import MemoryTokenStore
            from scripe.testing import check_token_store

            check_token_store(MemoryTokenStore, between_processes=False)
            print(sorted({"pytest", "filelock", "platformdirs", "sqlalchemy", "starlette"} & sys.modules.keys()))
        """)
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_script_may_check_a_store_of_its_own(tmp_path: Path) -> None:
    script = tmp_path / "check.py"
    script.write_text(
        textwrap.dedent(f"""
            from scripe.oauth import FileTokenStore
            from scripe.testing import check_token_store

            def make():
                return FileTokenStore({str(tmp_path / "tokens")!r})

            if __name__ == "__main__":
                check_token_store(make)
                print("kept")
        """)
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True)
    assert done.stdout == "kept\n"
