"""``docs/errors.md``: the codes of all areas that Fyr brings, and where they are raised.

A code is raised where its name stands in the source of the core or an area, in what an area
declares of its services, or where a rule is told as broken, which has one code. Nothing is
written down twice, so nothing can be wrong about it. Codes that nothing raises bring the
reason along.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable

from fyr.core import ErrorCode, broken_rule, read_error_codes
from fyr.core.declarations.toml_files import tables_in
from fyr.core.errors.catalogue import BROKEN_RULE, FILE

_CORE = "fyr.core"
_AREAS = "fyr.plugins"


def errors_page() -> str:
    """Make a table for the general codes and one for each area."""
    raised = raised_in(_CORE) | raised_in(_AREAS)
    return "\n\n".join(_table(package, raised) for package in areas())


def areas() -> list[str]:
    """Tell the import paths of the core and of all areas that have rows."""
    folders = [one for one in files(_AREAS).iterdir() if one.joinpath(FILE).is_file()]
    return [_CORE, *sorted(f"{_AREAS}.{one.name}" for one in folders)]


def raised_in(package: str) -> dict[str, list[str]]:
    """Tell, for every text of a folder that could be a code, the rooms that have it.

    Rooms are the sub-folders of areas, such as ``clinical.tasks``; ``core`` is one.
    """
    found: dict[str, set[str]] = {}
    for path, tree in trees(files(package)):
        room = path if package != _CORE else "core"
        for text in texts(tree):
            found.setdefault(text, set()).add(room)
    for folder in files(package).iterdir():
        for text in _declared(folder / "services"):
            found.setdefault(text, set()).add(folder.name)
    return {text: sorted(rooms) for text, rooms in found.items()}


def texts(tree: ast.AST) -> Iterator[str]:
    """Go through the texts of a module; who tells of a broken rule has its code's name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _called(node) == broken_rule.__name__:
            yield BROKEN_RULE
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _called(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else ""


def trees(folder: Traversable, room: str = "") -> Iterator[tuple[str, ast.Module]]:
    """Parse the Python files of a folder and of those in it, each with its folder."""
    for one in folder.iterdir():
        if one.is_dir():
            yield from trees(one, f"{room}.{one.name}".strip("."))
        elif one.name.endswith(".py"):
            yield room, ast.parse(one.read_text(encoding="utf-8"))


def _declared(services: Traversable) -> Iterator[str]:
    """Go through what services refuse searches with, in the files that declare them."""
    if services.is_dir():
        for _, declared in tables_in(services):
            for rules in declared["types"].values():
                yield from filter(None, [rules.get("search_refused")])


def _table(package: str, raised: Mapping[str, list[str]]) -> str:
    title = package.rpartition(".")[2] if package != _CORE else "General"
    head = ["| status | code and text | raised in, or why not |", "|---|---|---|"]
    rows = [_row(code, raised) for code in read_error_codes(package).values()]
    return "\n".join([f"## {title}", "", *head, *rows])


def _row(code: ErrorCode, raised: Mapping[str, list[str]]) -> str:
    told = ", ".join(f"`{one}`" for one in raised.get(code.name, ())) or code.not_raised
    text = code.text.replace("|", "\\|")
    return f"| {code.status} | `{code.name}`<br>{text} | {told} |"
