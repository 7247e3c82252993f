"""The file of standard parameters is what the tool makes of the definitions."""

import json
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PACKAGE = ROOT.parent / "shared" / "data" / "hl7.fhir.r4.examples-4.0.1.tgz"
FILE = files("fyr.search").joinpath("data/r4.json")


def test_the_tool_writes_the_same_file_again(tmp_path: Path) -> None:
    if not PACKAGE.exists():
        pytest.skip(f"{PACKAGE.name} is absent here: the official definitions")
    tool = tmp_path / "tools" / "build_search_parameters.py"
    tool.parent.mkdir()
    source = ROOT / "tools" / "build_search_parameters.py"
    tool.write_bytes(source.read_bytes())
    made = tmp_path / "search" / "data" / "r4.json"
    made.parent.mkdir(parents=True)

    subprocess.run([sys.executable, str(tool), str(PACKAGE)], check=True, timeout=120)

    assert made.read_bytes() == FILE.read_bytes()


def test_all_standard_parameters_are_in_the_file() -> None:
    content = json.loads(FILE.read_bytes())

    ids = {line["id"] for lines in content.values() for line in lines.values()}
    assert len(ids) == 1375
