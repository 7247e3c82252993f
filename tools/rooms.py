"""The map of the house in docs/architecture.md: rooms, and who imports whom.

A room is ``config``, ``search``, ``plugins`` or a folder of ``core``; it stands above all
that it imports when it runs. What is imported for types alone does not count, nor what a
function imports when it is called. Modules that stand in ``core`` itself are passages: who
imports one imports what it imports.
"""

import ast
from collections.abc import Iterable
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDERS = ("config", "core", "search", "plugins")


def rooms_table() -> str:
    """Give the rooms by floor, the highest first, by their own first lines."""
    floors = {room: _floor(room) for room in _arrows() if _is_folder(room)}
    numbers = sorted({*floors.values()})
    rows = [
        (str(numbers.index(at) + 1), f"`{room}/`", _says(ROOT / room / "__init__.py"))
        for room, at in sorted(floors.items(), key=lambda one: (-one[1], one[0]))
    ]
    return _table(("floor", "room", "what it is"), rows)


def rooms_drawing() -> str:
    """Give the rooms as a Mermaid drawing, without arrows that a longer way implies."""
    rooms = sorted(room for room in _arrows() if _is_folder(room))
    below = {room: {one for one in _reached(room) if _is_folder(one)} for room in rooms}
    lines = ["```mermaid", "flowchart TD"]
    for room in rooms:
        implied = {far for near in below[room] for far in below[near]}
        for one in sorted(below[room] - implied):
            lines.append(f"    {room} --> {one}")
    return "\n".join([*lines, "```"])


def modules_table(folder: str) -> str:
    """Give the modules of a folder by their own first lines."""
    paths = sorted((ROOT / folder).glob("[!_]*.py"))
    return _table(
        ("module", "what it is"), [(f"`{path.name}`", _says(path)) for path in paths]
    )


def folders_table(folder: str) -> str:
    """Give the folders of a folder by their own first lines."""
    paths = sorted((ROOT / folder).glob("*/__init__.py"))
    return _table(
        ("folder", "what it is"),
        [(f"`{path.parent.name}/`", _says(path)) for path in paths],
    )


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    told = [f"| {' | '.join(row)} |" for row in (head, *rows)]
    return "\n".join([told[0], "|" + "---|" * len(head), *told[1:]])


def _says(path: Path) -> str:
    said = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return said.split("\n\n")[0].replace("\n", " ").replace("``", "`")


@cache
def _arrows() -> dict[str, set[str]]:
    """Tell what each room, and each module of ``core`` itself, imports directly."""
    found: dict[str, set[str]] = {}
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*.py"):
            here = _room(path.relative_to(ROOT).with_suffix("").parts)
            reached = found.setdefault(here, set())
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.ImportFrom) and node.module:
                    reached |= {
                        _room((*node.module.split(".")[1:], alias.name))
                        for alias in node.names
                        if node.module.startswith("fyr.")
                    } - {here}
    return found


def _room(parts: tuple[str, ...]) -> str:
    return "/".join(parts[:2]) if parts[0] == "core" else parts[0]


def _is_folder(room: str) -> bool:
    return (ROOT / room).is_dir()


@cache
def _reached(room: str) -> frozenset[str]:
    """Tell what a room imports, itself or by way of others."""
    direct = _arrows().get(room, set())
    return frozenset(direct).union(*(_reached(one) for one in direct))


@cache
def _floor(room: str) -> int:
    return 1 + max((_floor(one) for one in _arrows().get(room, ())), default=0)
