"""Each threat names what proves that it is held, and the proofs are there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "threat-model.md").read_text()
_NAMED = re.compile(r"`(tests/[\w/]+\.py)?(?:::(test_\w+))?`")


def named() -> list[tuple[str, str]]:
    """Tell files and names of tests; a name without a file is in the one before it."""
    found, file = [], ""
    for match in _NAMED.finditer(PAGE):
        if not match[0].strip("`"):
            continue
        file = match[1] or file
        found.append((file, match[2] or ""))
    return found


def threats() -> list[list[str]]:
    section = PAGE.partition("## Threats")[2].partition("## Attacks without")[0]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines()]
    return [row for row in rows if len(row) == 3 and row[0] != "threat"]


@pytest.mark.parametrize(("file", "name"), named())
def test_a_proof_is_there(file: str, name: str) -> None:
    source = (ROOT / file).read_text()

    assert re.search(rf"^\s*def {name}\b" if name else r"^\s*def test_", source, re.M)


@pytest.mark.parametrize("threat", threats(), ids=lambda row: row[0])
def test_a_threat_has_something_that_holds_it_and_a_proof(threat: list[str]) -> None:
    _, held_by, proof = threat

    assert held_by.strip()
    assert "`tests/" in proof or "tox -e" in proof


def test_all_six_kinds_of_threats_are_told() -> None:
    kinds = re.findall(r"^### (.*)$", PAGE, re.MULTILINE)

    assert [kind[0] for kind in kinds] == list("STRIDE")
    assert len(threats()) > 35


def test_every_attack_is_the_proof_of_a_threat() -> None:
    """At least each module: a new one is to be told here, too."""
    told = {file for file, _ in named()}
    folders = {str(Path(file).parent) for file in told}
    for file in (ROOT / "tests" / "attacks").glob("test_*.py"):
        assert str(file.relative_to(ROOT)) in told
    for file in (ROOT / "tests" / "attacks").glob("*/**/test_*.py"):
        assert str(file.parent.relative_to(ROOT)) in folders
