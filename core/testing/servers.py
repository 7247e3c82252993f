"""Real servers and programs that tests ask for: skipped and told where they are absent.

``FYR_TEST_REQUIRED=postgresql,node`` turns the skip into a failure; CI sets it.
"""

import os
from typing import NoReturn

import pytest

#: Name -> why it is not there; what the last lines of a test run tell.
MISSING: dict[str, str] = {}


def absent(name: str, why: str) -> NoReturn:
    """Skip the calling test because a server is not there; fail where it must be.

    :param name: as in ``FYR_TEST_REQUIRED``.
    :param why: one sentence, with what would bring it.
    """
    MISSING[name] = why
    if name in os.environ.get("FYR_TEST_REQUIRED", "").split(","):
        pytest.fail(f"{name} is required here and absent: {why}", pytrace=False)
    pytest.skip(f"{name} is absent: {why}")
