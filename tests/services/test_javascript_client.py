"""fhir-kit-client, from Node.js, against a running server."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from fyr.core.testing.process import FyrProcess
from fyr.core.testing.servers import absent

SCRIPT = Path(__file__).parent / "clients" / "fhir-kit.mjs"


@pytest.fixture(scope="module")
def node_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        absent("node", "install Node.js with npm to run the JavaScript client")
    folder = tmp_path_factory.mktemp("node")
    (folder / "package.json").write_text('{"type": "module"}')
    command = [
        npm,
        "install",
        "--silent",
        "--no-audit",
        "--no-fund",
        "fhir-kit-client@2",
    ]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=300
    )
    if done.returncode:
        absent("node", f"npm could not install fhir-kit-client: {done.stderr[-300:]}")
    return folder


def test_fhir_kit_client_reads_writes_pages_and_patches(
    fyr: FyrProcess, node_folder: Path
) -> None:
    shutil.copy(SCRIPT, node_folder)

    done = subprocess.run(
        ["node", SCRIPT.name, fyr.base],
        cwd=node_folder,
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "version": "4.0.1",
        "family": "Kit",
        "version2": "2",
        "first": None,
        "gender": "other",
        "history": 3,
        "pages": [2, 1],
        "gone": 410,
    }
