"""Every hook has a specification, an example, an entry in the docs, and a test of its own."""

import inspect
import re
from pathlib import Path

import pytest

from fyr.core.hooks.reference import examples_in, reference
from fyr.core.hooks.specs import RULES, SPECIFICATIONS
from fyr.core.workflow.page import known_machines

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples" / "every_hook.py"
#: What stands in a pointcut's second column, when it is not a hook.
NO_HOOK = "none"


def names_of_tests() -> set[str]:
    """Names of the tests of the hooks."""
    files = (ROOT / "tests" / "unit" / "hooks").rglob("test_*.py")
    source = "\n".join(file.read_text() for file in files)
    return set(re.findall(r"^def (test_\w+)", source, re.MULTILINE))


@pytest.fixture(scope="module")
def pointcuts() -> list[tuple[str, str, str]]:
    page = (ROOT / "docs" / "hapi-pointcuts.md").read_text()
    return re.findall(r"^\| `([A-Z0-9_]+)` \| (.*?) \| ?(.*?) ?\|$", page, re.MULTILINE)


@pytest.mark.parametrize("hook", RULES)
def test_a_hook_says_what_it_is_for_when_it_is_called_and_what_failure_does(
    hook,
) -> None:
    first, *more = (inspect.getdoc(SPECIFICATIONS[hook]) or "").split("\n\n")

    assert first.endswith(".")
    assert "\n" not in first
    assert more
    assert more[-1].startswith(":param") or "Called" in " ".join(more)


@pytest.mark.parametrize("hook", RULES)
def test_what_a_hook_says_of_arguments_is_about_arguments_that_it_has(hook) -> None:
    specification = SPECIFICATIONS[hook]
    explained = re.findall(r":param (\w+):", specification.__doc__)

    assert set(explained) <= set(inspect.signature(specification).parameters)


@pytest.mark.parametrize("hook", RULES)
def test_a_hook_has_a_test_that_is_named_after_it(hook) -> None:
    assert any(name.startswith(f"test_hook_{hook}_") for name in names_of_tests())


@pytest.mark.parametrize("hook", RULES)
def test_a_hook_has_an_example(hook) -> None:
    assert hook in examples_in(EXAMPLES)


def test_the_hook_reference_is_current() -> None:
    """Written by ``tox -e docs -- -r``."""
    assert reference(EXAMPLES) in (ROOT / "docs" / "hooks.md").read_text()


def test_every_state_machine_has_a_page_of_its_own() -> None:
    """Made by ``tox -e docs -- -r``, which writes what is in it too."""
    pages = {page.stem for page in (ROOT / "docs" / "workflow").glob("*.md")}

    assert pages - {"README"} == {one.name for one in known_machines()}


def test_every_pointcut_has_a_hook_or_a_reason(pointcuts) -> None:
    for name, answer, reason in pointcuts:
        hooks = re.findall(r"`(\w+)`", answer)

        assert answer == NO_HOOK or hooks, name
        assert set(hooks) <= set(RULES), name
        assert hooks or reason or name.startswith("JPA_PERFTRACE_"), name


def test_no_pointcut_is_told_twice(pointcuts) -> None:
    names = [name for name, *_ in pointcuts]

    assert len(names) == len(set(names)) == 108
