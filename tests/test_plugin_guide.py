"""The recipes of docs/plugins/cookbook.md do what they say."""

import importlib.util
import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from fyr.core.hooks.discovery import in_folder
from fyr.core.testing import MachineContract

ROOT = Path(__file__).parents[1]
COOKBOOK = (ROOT / "docs" / "plugins" / "cookbook.md").read_text(encoding="utf-8")
RECIPES = {
    section.partition("\n")[0]: dict(
        re.findall(r"```python (\w+)\n(.*?)```", section, re.S)
    )
    for section in re.split(r"^## ", COOKBOOK, flags=re.MULTILINE)[1:]
}


def held_against_its_contract(title: str) -> type[MachineContract]:
    """Give the class that a recipe has for its machine; pytest runs it from here."""
    (section,) = re.findall(rf"^## {title}\n(.*?)^## ", COOKBOOK, re.S | re.M)
    (contract,) = re.findall(r"```python\n(.*?)```", section, re.S)
    names: dict[str, Any] = {"__name__": __name__}
    exec(RECIPES[title]["plugin"], names)
    exec(contract, names)
    found: type[MachineContract] = names["TestErrands"]
    return found


TestErrands = held_against_its_contract("Keep a state machine")


@pytest.fixture(params=RECIPES)
def recipe(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, Path]:
    """The plugin and the test of a recipe, as files."""
    found = {}
    for name, code in RECIPES[request.param].items():
        found[name] = tmp_path / name / "recipe.py"
        found[name].parent.mkdir()
        found[name].write_text(code, encoding="utf-8")
    return found


@pytest.fixture
def fyr_plugins(recipe: dict[str, Path]) -> Iterator[dict[str, Any]]:
    (candidate,) = in_folder(recipe["plugin"].parent).values()
    yield {"recipe": candidate.load()}
    del sys.modules["fyr_plugin_recipe"]


def loaded(file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("recipe_test", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_recipe_does_what_its_test_says(
    recipe: dict[str, Path], request: pytest.FixtureRequest
) -> None:
    tests = [
        value
        for name, value in vars(loaded(recipe["test"])).items()
        if name.startswith("test_")
    ]

    assert tests
    for test in tests:
        wanted = inspect.signature(test).parameters
        test(**{name: request.getfixturevalue(name) for name in wanted})


def test_there_are_twelve_recipes_with_a_plugin_and_a_test_each() -> None:
    assert [sorted(recipe) for recipe in RECIPES.values()] == [["plugin", "test"]] * 12
