"""A server that keeps large content outside of its database."""

from typing import Any

import pytest

from .stored import THRESHOLD


@pytest.fixture
def fyr_options() -> dict[str, Any]:
    return {"blobs": {"threshold_bytes": THRESHOLD}}
