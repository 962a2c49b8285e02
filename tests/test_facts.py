"""The facts about the API: each is numbered once, and names a setting that the emulator has."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from dataclasses import fields
from pathlib import Path

import pytest

from scripe._facts import FACTS, Fact
from scripe.emulator import Settings

ROOT = Path(__file__).parents[1]
IDS = [fact.id for fact in FACTS]
KINDS = {"G": "guesses", "O": "guesses about OAuth", "C": "contradictions"}


@pytest.mark.parametrize("kind", KINDS, ids=KINDS.values())
def test_the_facts_of_a_kind_are_numbered_in_order(kind: str) -> None:
    numbers = [int(fact_id[1:]) for fact_id in IDS if fact_id.startswith(kind)]
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("fact", [fact for fact in FACTS if fact.setting], ids=lambda fact: fact.id)
def test_the_setting_of_a_fact_exists(fact: Fact) -> None:
    assert fact.setting in {field.name for field in fields(Settings)}


@pytest.mark.parametrize("fact", FACTS, ids=IDS)
def test_the_setting_is_the_one_that_the_text_names(fact: Fact) -> None:
    named = set(re.findall(r"`([a-z_]+)`", fact.assumed)) & {field.name for field in fields(Settings)}
    assert fact.setting is None or fact.setting in named


def test_reads_settle_eight_contradictions_and_seven_in_part() -> None:
    settled = Counter(fact.settled_by for fact in FACTS if fact.id.startswith("C"))
    assert settled == {"read": 8, "read in part": 7, "write": 10, "another credential": 4, "nothing": 3}


def test_the_page_of_the_docs_is_in_step() -> None:
    script = ROOT / "scripts" / "api_facts.py"
    assert subprocess.run([sys.executable, script, "--check"], stdout=subprocess.DEVNULL).returncode == 0
