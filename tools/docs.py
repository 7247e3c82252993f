"""Checks the generated parts of the docs, or writes them: ``tox -e docs``, ``-- -r``.

Each page says itself how its parts are made, in Python between two comments, which
https://cog.readthedocs.io runs. Here is only which pages there are: all that have such
comments, and one for each state machine, made when it is missing.
"""

import subprocess
import sys
from pathlib import Path

from fyr.core.workflow.page import known_machines, new_page

ROOT = Path(__file__).parents[1]
WORKFLOW = ROOT / "docs" / "workflow"
_MARK = "[[[" + "cog"


def main(arguments: list[str]) -> int:
    """Run cog over all pages, with the arguments that it was given."""
    writes = "-r" in arguments
    wrong = _machines(writes=writes)
    for page in wrong:
        print(f"{page.relative_to(ROOT)}: run tox -e docs -- -r")
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    marked = [str(page) for page in pages if _MARK in page.read_text(encoding="utf-8")]
    command = ["cog", *arguments, "-P", "-I", str(ROOT / "tools"), *marked]
    done = subprocess.run(command, cwd=ROOT, check=False)
    return done.returncode or bool(wrong)


def _machines(*, writes: bool) -> list[Path]:
    """Make pages of machines that have none, and remove those of none; tell the rest."""
    names = {f"{one.name}.md": one for one in known_machines()}
    there = {page.name for page in WORKFLOW.glob("*.md")} - {"README.md"}
    for name in names.keys() - there if writes else ():
        (WORKFLOW / name).write_text(new_page(names[name]), encoding="utf-8")
    for name in there - names.keys() if writes else ():
        (WORKFLOW / name).unlink()
    return [] if writes else [WORKFLOW / name for name in sorted(names.keys() ^ there)]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
