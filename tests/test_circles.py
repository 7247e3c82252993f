"""No modules import each other, straight or in a circle, when they are imported.

What is imported for types alone does not count; the layers above that are held by
import-linter, and the rooms are drawn in docs/architecture.md.
"""

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parent.parent
FOLDERS = ("config", "core", "plugins", "search")


def modules() -> dict[str, Path]:
    found = {}
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*.py"):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(("fyr", *parts)).removesuffix(".__init__")] = path
    return found


def imported(path: Path) -> Iterator[str]:
    """Tell what a module imports at once: names of modules, or of what is in them."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield f"{node.module}.{alias.name}"


def test_no_modules_import_each_other_in_a_circle() -> None:
    known = modules()
    arrows = {
        name: {
            one if one in known else one.rpartition(".")[0] for one in imported(path)
        }
        & known.keys() - {name}
        for name, path in known.items()
    }

    # Names the modules of a circle, if there is one.
    TopologicalSorter(arrows).prepare()
    assert sum(map(len, arrows.values())) > len(known)
