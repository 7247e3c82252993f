"""What plugin authors import from ``fyr.core``."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import fyr.core


def declared() -> set[str]:
    """Names that type checkers see."""
    tree = ast.parse(Path(fyr.core.__file__).read_text())
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    return {alias.asname or alias.name for node in block.body for alias in node.names}


def test_type_checkers_and_programs_see_the_same_names() -> None:
    assert declared() | {"__version__"} == set(fyr.core.__all__)


@pytest.mark.parametrize("name", fyr.core.__all__)
def test_every_name_is_there(name) -> None:
    assert getattr(fyr.core, name)


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'hokimpl'"):
        getattr(fyr.core, "hokimpl")  # noqa: B009


def test_a_plugin_of_one_hook_does_not_import_the_whole_server() -> None:
    program = "import sys; from fyr.core import hookimpl; print(' '.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert not {"falcon", "psycopg", "lxml", "pydantic"} & set(done.stdout.split())
