"""The ``fyr`` command as a deployer types it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from fyr.core.cli import main

from .deployments import PLUGIN, Fyr


@pytest.fixture
def fyr(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Fyr:
    import os

    for name in [name for name in os.environ if name.startswith("FYR_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("FYR_DATA_DIR", str(tmp_path / "data"))
    return lambda *arguments: CliRunner().invoke(main, [str(one) for one in arguments])


@pytest.fixture
def deployment(tmp_path: Path) -> Callable[..., Path]:
    def write(settings: str = "", command: str = "ward-hours") -> Path:
        folder = tmp_path / "plugins"
        folder.mkdir()
        (folder / "hours.py").write_text(PLUGIN.format(command=command))
        file = tmp_path / "fyr.toml"
        file.write_text(f'[plugins]\nfolder = "{folder}"\n{settings}')
        return file

    return write
