"""``docs/errors.md``: the codes of all areas that Fyr brings, and which are raised.

A code is raised where its name stands as a text in the source of the core or an area.
Nothing is written down twice, so nothing can be wrong about it.
"""

from __future__ import annotations

import ast
from collections.abc import Container, Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable

from fyr.core import ErrorCode, read_error_codes
from fyr.core.error_codes import FILE

_CORE = "fyr.core"
_AREAS = "fyr.plugins"


def errors_page() -> str:
    """Make a table for the general codes and one for each area."""
    raised = texts_in(_CORE) | texts_in(_AREAS)
    return "\n\n".join(_table(package, raised) for package in areas())


def areas() -> list[str]:
    """Tell the import paths of the core and of all areas that have rows."""
    folders = [one for one in files(_AREAS).iterdir() if one.joinpath(FILE).is_file()]
    return [_CORE, *sorted(f"{_AREAS}.{one.name}" for one in folders)]


def texts_in(package: str) -> set[str]:
    """Tell every text that stands alone in the Python files of a folder."""
    return {
        node.value
        for tree in trees(files(package))
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def trees(folder: Traversable) -> Iterator[ast.Module]:
    """Parse the Python files of a folder and of those in it."""
    for one in folder.iterdir():
        if one.is_dir():
            yield from trees(one)
        elif one.name.endswith(".py"):
            yield ast.parse(one.read_text(encoding="utf-8"))


def _table(package: str, raised: Container[str]) -> str:
    title = package.rpartition(".")[2] if package != _CORE else "General"
    head = ["| status | code and text | raised |", "|---|---|---|"]
    rows = [_row(code, raised) for code in read_error_codes(package).values()]
    return "\n".join([f"## {title}", "", *head, *rows])


def _row(code: ErrorCode, raised: Container[str]) -> str:
    told = "yes" if code.name in raised else ""
    text = code.text.replace("|", "\\|")
    return f"| {code.status} | `{code.name}`<br>{text} | {told} |"
