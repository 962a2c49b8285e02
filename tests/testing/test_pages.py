"""What the guide and README show of tests is run, and says what they say it does."""

from __future__ import annotations

import re
from textwrap import dedent

import pytest

from scripe.testing.plugin import MARKERS

from .conftest import ARGUMENTS, ROOT

GUIDE = (ROOT / "docs" / "guides" / "testing-your-application.md").read_text()
REFERENCE = (ROOT / "docs" / "reference" / "testing.md").read_text()
README = (ROOT / "README.md").read_text()
OAUTH_GUIDE = (ROOT / "docs" / "guides" / "acting-for-others.md").read_text()
BLOCK = re.compile(r"```\{code-block\} (\w+)\n:caption: ([^\n]+)\n\n(.*?)```", re.DOTALL)
PROJECT = re.compile("proj_[0-9a-f]+")
BLOCKS = {caption: (language, text) for language, caption, text in BLOCK.findall(GUIDE)}


@pytest.fixture
def files(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    for name, (language, text) in BLOCKS.items():
        if language == "python":
            (pytester.path / name).write_text(text)
    return pytester


def test_the_guide_has_no_code_that_is_not_run() -> None:
    assert set(re.findall(r"^```(.+)$", GUIDE, re.MULTILINE)) == {
        "console",
        "{code-block} python",
        "{code-block} text",
    }
    assert GUIDE.count("{code-block}") == len(BLOCKS)


def test_what_the_guide_shows_passes(files: pytest.Pytester) -> None:
    shown = sum(text.count("def test_") for _, text in BLOCKS.values())
    ran = files.runpytest_subprocess(*ARGUMENTS, "-p", "anyio", "--deselect", "test_that_fails.py")
    ran.assert_outcomes(passed=shown - 1, deselected=1)


def test_what_the_guide_shows_to_fail_says_so(files: pytest.Pytester) -> None:
    ran = files.runpytest_subprocess(*ARGUMENTS, "test_that_fails.py")
    ran.assert_outcomes(failed=1)
    first, *others = BLOCKS["what it says"][1].splitlines()
    wanted = [f"E       AssertionError: {first}", *(f"E       {line}" for line in others)]
    told = [line for line in ran.outlines if line.startswith("E ")]
    assert [PROJECT.sub("proj_", line) for line in told] == [PROJECT.sub("proj_", line) for line in wanted]


def test_what_readme_shows_passes(files: pytest.Pytester) -> None:
    (text,) = [each for each in re.findall(r"```python\n(.*?)```", README, re.DOTALL) if "def test_" in each]
    files.makepyfile(test_readme=dedent(text))
    files.runpytest_subprocess(*ARGUMENTS, "test_readme.py").assert_outcomes(passed=text.count("def test_"))


def test_what_the_guide_to_oauth_shows_passes(files: pytest.Pytester) -> None:
    ((_, name, text),) = BLOCK.findall(OAUTH_GUIDE)
    (files.path / name).write_text(text)
    files.runpytest_subprocess(*ARGUMENTS, name).assert_outcomes(passed=1)


def test_every_fixture_and_marker_is_on_the_pages(files: pytest.Pytester) -> None:
    listed = files.runpytest_subprocess("-p", "scripe.testing.plugin", "--fixtures").outlines
    fixtures = [line.split(" ")[0] for line in listed if "testing/plugin.py" in line]
    assert len(fixtures) == 5
    markers = [each.partition("(")[0] for each in MARKERS]
    assert [each for each in MARKERS if each.partition(": ")[0] not in REFERENCE] == []
    for page in (GUIDE, REFERENCE):
        assert [name for name in (*fixtures, *markers) if name not in page] == []
