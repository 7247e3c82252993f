"""A ward whose measurements are waited for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ..conftest import Ward, opened


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ward]:
    """A server of its own: what happens here takes days."""
    with opened(tmp_path_factory.mktemp("missing")) as built:
        yield Ward(*built)
