"""What ``fyr plugin new`` writes is a plugin that works."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from fyr.core.cli import main

GUIDE = Path(__file__).parents[3] / "docs" / "plugins" / "contract.md"


def fyr(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def installed(folder: Path, name: str) -> dict[str, str]:
    """Give an environment in which the distribution is as good as installed."""
    points = f"[fyr.plugins]\n{name} = fyr_{name}:{name.title().replace('_', '')}\n"
    about = folder / f"fyr_{name}-0.1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: fyr-{name}\n")
    (about / "entry_points.txt").write_text(points)
    return {**os.environ, "PYTHONPATH": str(folder)}


@pytest.fixture
def made(tmp_path: Path) -> Path:
    folder = tmp_path / "new"
    summary = 'Keeps "clinic" hours.'
    done = fyr(
        "plugin", "new", "clinic_hours", "--folder", str(folder), "--summary", summary
    )
    assert done.exit_code == 0, done.output
    return folder


def run(folder: Path, *command: str, name: str = "clinic_hours") -> str:
    done = subprocess.run(
        [sys.executable, "-m", *command],
        env=installed(folder, name),
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_it_passes_its_own_tests_and_the_contract(made: Path) -> None:
    told = run(made, "pytest", "-q", "-p", "no:cacheprovider")

    assert "passed" in told
    assert "failed" not in told


def test_the_guide_s_plugin_with_a_table_passes_its_tests_in_it(
    tmp_path: Path,
) -> None:
    assert fyr("plugin", "new", "bed_list", "--folder", str(tmp_path)).exit_code == 0
    text = GUIDE.read_text(encoding="utf-8")
    for name, content in re.findall(r"\*\*`(.+?)`\*\*\n\n```\w+\n(.*?)```", text, re.S):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content, encoding="utf-8")

    told = run(tmp_path, "pytest", "-q", "-p", "no:cacheprovider", name="bed_list")
    assert "passed" in told


def test_it_passes_the_check_of_a_deployer(made: Path) -> None:
    code = "from fyr.core.cli import main; main(['plugins', 'check', 'clinic_hours'])"
    (made / "checking.py").write_text(code)

    assert "passed" in run(made, "checking")


def test_what_is_there_is_not_written_over(made: Path) -> None:
    again = fyr("plugin", "new", "clinic_hours", "--folder", str(made))

    assert again.exit_code == 1
    assert "not empty" in again.output


@pytest.mark.parametrize(
    "name",
    ["Clinic", "2nd", "a-b", "../x", "søvn", "audit", "_", "_a", "a_", "", "a" * 300],
)
def test_a_name_that_no_plugin_can_have_is_refused(name: str, tmp_path: Path) -> None:
    done = fyr("plugin", "new", name, "--folder", str(tmp_path / "new"))

    assert done.exit_code == 2
    assert not (tmp_path / "new").exists()


def test_a_plugin_that_is_not_there_cannot_be_checked() -> None:
    done = fyr("plugins", "check", "no_such")

    assert done.exit_code == 1


def test_a_setting_that_is_not_json_is_refused() -> None:
    done = fyr("plugins", "check", "audit", "--set", "a=b")

    assert done.exit_code == 2
    assert "KEY=JSON" in done.output
