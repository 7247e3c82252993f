"""Where plugins come from: entry points of the group ``fyr.plugins``, and a folder.

https://packaging.python.org/en/latest/specifications/entry-points/. Looking imports
nothing: a plugin's code runs when the configuration names it.
"""

import importlib.util
import inspect
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType

from fyr.core.errors.plugins import PluginError
from fyr.core.hooks.plugin import Plugin

GROUP = "fyr.plugins"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A plugin that could take part; ``load`` imports its module or class."""

    name: str
    distribution: str
    version: str
    load: Callable[[], object]


def installed(found: Iterable[EntryPoint] | None = None) -> dict[str, Candidate]:
    """Tell the plugins that distributions offer, by name.

    :param found: entry points to look at; ``None`` takes those of this environment.
    :raises PluginError: two distributions offer one name.
    """
    points = entry_points(group=GROUP) if found is None else found
    candidates: dict[str, Candidate] = {}
    problems = []
    known: dict[int, tuple[str, str]] = {}
    for point in sorted(points, key=lambda point: (point.name, point.value)):
        # Each look at a distribution parses its whole description; one offers many.
        if id(point.dist) not in known:
            known[id(point.dist)] = _distribution(point)
        candidate = Candidate(point.name, *known[id(point.dist)], point.load)
        other = candidates.setdefault(point.name, candidate)
        if other.distribution != candidate.distribution:
            problems.append(
                f"plugin {point.name}: offered by two distributions:"
                f" {other.distribution} and {candidate.distribution}"
            )
    if problems:
        raise PluginError(problems)
    return candidates


def in_folder(folder: Path) -> dict[str, Candidate]:
    """Tell the single-file plugins of a folder, each named as its file.

    :raises PluginError: there is no such folder, or a name cannot be imported.
    """
    if not folder.is_dir():
        raise PluginError([f"plugins.folder: no such folder: {folder}"])
    files = [file for file in sorted(folder.glob("*.py")) if file.name[0] not in "_."]
    return {file.stem: _of_file(file) for file in files}


def at_hand(name: str, plugin: ModuleType | type[Plugin]) -> Candidate:
    """Make a candidate of a module or class that somebody has already."""
    return Candidate(name, "", "", lambda: plugin)


def _distribution(point: EntryPoint) -> tuple[str, str]:
    """Tell the name and version of the distribution that offers an entry point."""
    if point.dist is None:
        return "", ""
    return point.dist.name, point.dist.version


def _of_file(file: Path) -> Candidate:
    return Candidate(file.stem, str(file), "", lambda: _load_file(file))


def _load_file(file: Path) -> object:
    """Import a file; its one subclass of Plugin is the plugin, or else the module."""
    name = f"fyr_plugin_{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} is not a Python module")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    classes = _plugin_classes(module)
    if len(classes) > 1:
        raise TypeError("more than one subclass of Plugin in one file")
    return classes[0] if classes else module


def _plugin_classes(module: ModuleType) -> list[type[Plugin]]:
    return [
        value
        for value in vars(module).values()
        if inspect.isclass(value)
        and issubclass(value, Plugin)
        and value.__module__ == module.__name__
    ]
