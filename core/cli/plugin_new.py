"""``fyr plugin new``: a distribution with a plugin that works, to begin from."""

import re
from importlib.resources import files
from pathlib import Path
from string import Template

import click

from fyr.core.version import __version__

#: What can stand in the name of a distribution, a package and a command.
_NAME = re.compile(r"[a-z]([a-z0-9_]{0,48}[a-z0-9])?", re.ASCII)
#: Where each template goes, within the folder of the distribution.
_PLACES = {
    "pyproject.toml": "pyproject.toml",
    "README.md": "README.md",
    "fyr.toml": "fyr.toml",
    "plugin.py": "fyr_$name/__init__.py",
    "test.py": "tests/test_$name.py",
}


@click.group()
def plugin() -> None:
    """Begin a plugin of your own."""


@plugin.command()
@click.argument("name")
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    help="Where to write; a folder named fyr-NAME here unless given.",
)
@click.option("--summary", default="", help="What it is for, in a sentence.")
def new(name: str, folder: Path | None, summary: str) -> None:
    """Write a distribution with a plugin NAME that passes its tests."""
    values = _values(name, summary)
    folder = folder or Path(f"fyr-{values['dashed']}")
    if folder.exists() and any(folder.iterdir()):
        raise click.ClickException(f"{folder} is not empty")
    for template, place in _PLACES.items():
        source = files("fyr.core.cli").joinpath("skeleton", f"{template}.template")
        text = Template(source.read_text(encoding="utf-8")).substitute(values)
        path = folder / Template(place).substitute(values)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    click.echo(f"{folder}: now `pip install -e '{folder}[test]'` and `pytest {folder}`")


def _values(name: str, summary: str) -> dict[str, str]:
    """Tell what stands in the templates.

    :raises click.BadParameter: no plugin can have this name.
    """
    from fyr.core.hooks.discovery import installed

    if not _NAME.fullmatch(name):
        raise click.BadParameter(
            f"{name[:60]}: give 1 to 50 small letters, digits and underscores, a letter"
            " first and no underscore last",
            param_hint="NAME",
        )
    if name in installed():
        raise click.BadParameter(f"{name}: there is one already", param_hint="NAME")
    return {
        "name": name,
        "dashed": name.replace("_", "-"),
        "class_name": "".join(part.capitalize() for part in name.split("_")),
        "summary": _sentence(summary) or "A plugin to begin from.",
        "core": ".".join(__version__.split(".")[:2]),
    }


def _sentence(text: str) -> str:
    """Make a text safe for the places where the templates have it."""
    words = text.replace("\\", "").replace('"', "'").split()
    return " ".join(words)
