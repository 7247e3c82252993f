"""A real Fyr, in processes of its own, for the clients of others."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fyr.core.testing.process import FyrProcess, fyr_process


@pytest.fixture(scope="module")
def fyr(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FyrProcess]:
    folder: Path = tmp_path_factory.mktemp("fyr")
    with fyr_process(folder) as running:
        yield running
