"""What the audit of dependencies says of what it was told."""

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

FILE = Path(__file__).parents[3] / "tools" / "audit.py"


@pytest.fixture(scope="module")
def audit() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fyr_tools_audit", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def release(name: str, *, yanked: bool = False) -> dict[str, Any]:
    return {"metadata": {"name": name, "version": "1.0"}, "is_yanked": yanked}


CLEAN = {"name": "a", "version": "1.0", "vulns": []}
FAULTY = {
    "name": "b",
    "version": "1.0",
    "vulns": [{"id": "PYSEC-1", "fix_versions": ["1.1"]}],
}
SKIPPED = {"name": "a", "skip_reason": "Dependency not found on PyPI"}
A, B = release("A"), release("b")


def test_dependencies_without_known_faults_are_well(audit: ModuleType) -> None:
    assert audit.verdict([A], [CLEAN], False)[1]


def test_a_known_fault_is_told_with_its_mending(audit: ModuleType) -> None:
    told, well = audit.verdict([A, B], [CLEAN, FAULTY], False)

    assert not well
    assert "b 1.0: PYSEC-1, mended in 1.1" in told


@pytest.mark.parametrize("answers", [[], [SKIPPED]])
def test_a_service_that_is_not_there_is_told_and_no_success_where_it_must_be(
    audit: ModuleType, answers: list[dict[str, Any]]
) -> None:
    told, well = audit.verdict([A], answers, True)

    assert told[-1].startswith("NOT AUDITED: the vulnerability service")
    assert not well
    assert audit.verdict([A], answers, False)[1]


def test_one_that_was_not_looked_up_is_no_success(audit: ModuleType) -> None:
    answers = [CLEAN, {"name": "b", "skip_reason": "?"}]

    assert not audit.verdict([A, B], answers, False)[1]


def test_a_release_that_was_taken_back_is_no_success(audit: ModuleType) -> None:
    told, well = audit.verdict([release("a", yanked=True)], [SKIPPED], False)

    assert not well
    assert told[0] == "a==1.0 was taken back by its authors"
