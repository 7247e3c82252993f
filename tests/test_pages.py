"""What the pages name is there: pages, files, settings, commands."""

import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import click
import pytest

from fyr.config.settings import Settings
from fyr.core.cli.commands import COMMANDS
from fyr.core.cli.extra import commands_of
from fyr.core.hooks.discovery import installed
from fyr.core.hooks.loading import load_plugins
from fyr.core.hooks.registry import PluginRegistry

ROOT = Path(__file__).parent.parent
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
FOLDERS = "bench|config|core|docs|examples|plugins|search|tests|tools"
#: Pages about what runs; those for authors of plugins tell of files and settings of theirs.
SHELF = [page for page in PAGES if page.parent in (ROOT, ROOT / "docs")]
OURS = [page for page in PAGES if page.parent != ROOT / "docs" / "plugins"]


def named(page: Path, pattern: str) -> Iterator[str]:
    """Find what a page says between backticks, outside of code, by a pattern."""
    prose = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.M | re.S)
    return (match[1] for match in re.finditer(rf"`{pattern}`", prose))


def is_there(path: str) -> bool:
    """Whether a file or folder is there, or a module by its name."""
    return any(ROOT.glob(path)) or (ROOT / f"{path}.py").exists()


def test_every_page_is_named_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text()
    pages = {f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")}

    assert {page for page in pages if page not in readme} == set()


@pytest.mark.parametrize("page", OURS, ids=lambda page: page.name)
def test_a_file_that_a_page_names_is_there(page: Path) -> None:
    paths = named(page, rf"((?:{FOLDERS})/[\w./*-]*)")
    missing = [one for one in paths if not is_there(one.rstrip("/"))]

    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_that_a_page_leads_to_is_there(page: Path) -> None:
    found = re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text())
    missing = [one for one in found if not (page.parent / one).exists()]

    assert missing == []


@pytest.fixture(scope="module")
def registry() -> PluginRegistry:
    """All plugins that Fyr brings."""
    return load_plugins(Settings(plugins={"enabled": sorted(installed())}))


@pytest.mark.parametrize("page", SHELF, ids=lambda page: page.name)
def test_a_setting_that_a_page_names_is_there(page: Path) -> None:
    tables = "|".join(set(Settings.model_fields) - {"plugin"})
    settings = named(page, rf"((?:{tables})\.[a-z_]+)(?: = [^`]*)?")
    missing = [one for one in settings if not is_setting(one)]

    assert missing == []


def is_setting(name: str) -> bool:
    """Whether there is such a setting, or it is a file that happens to be named so."""
    table, key = name.split(".")
    fields = getattr(Settings.model_fields[table].annotation, "model_fields", {})
    return key in fields or key in ("db", "key", "md", "py", "toml")


@pytest.mark.parametrize("page", SHELF, ids=lambda page: page.name)
def test_a_setting_of_a_plugin_that_a_page_names_is_there(
    page: Path, registry: PluginRegistry
) -> None:
    settings = {one.name: one.manifest.settings.model_fields for one in registry}
    found = [one.split(".") for one in named(page, r"plugin\.(\w+\.[a-z_]+)[^`]*")]
    missing = [one for one in found if one[1] not in settings[one[0]]]

    assert missing == []


def test_every_setting_of_a_plugin_stands_on_a_page(registry: PluginRegistry) -> None:
    told = "".join(page.read_text() for page in SHELF)
    variables = {
        f"FYR_PLUGIN__{one.name.upper()}__{field.upper()}"
        for one in registry
        for field in one.manifest.settings.model_fields
    }

    assert {one for one in variables if f"`{one}`" not in told} == set()


@pytest.fixture(scope="module")
def commands(registry: PluginRegistry) -> dict[str, click.Command]:
    """All commands, Fyr's own and those of plugins."""
    own = {
        name: getattr(import_module(module), function)
        for name, (module, function) in COMMANDS.items()
    }
    return {**own, **commands_of(registry.hooks)}


@pytest.mark.parametrize("page", SHELF, ids=lambda page: page.name)
def test_a_command_that_a_page_names_is_there(
    page: Path, commands: dict[str, click.Command]
) -> None:
    for said in named(page, r"fyr ([a-z][a-z-]*(?: [a-z][a-z-]*)?)[^`]*"):
        name, _, below = said.partition(" ")
        command = commands[name]

        if below and isinstance(command, click.Group):
            assert below in command.commands, said
