"""A server that strips pictures."""

from typing import Any

import pytest

THRESHOLD = 4096


@pytest.fixture
def fyr_options() -> dict[str, Any]:
    types = ["Media", "Patient", "Binary"]
    return {"blobs": {"threshold_bytes": THRESHOLD, "strip_pictures": types}}
