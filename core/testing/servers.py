"""Real servers and programs that tests ask for: skipped and told where they are absent.

``FYR_TEST_REQUIRED=postgresql,node`` turns the skip into a failure; CI sets it.
"""

import os
from typing import NoReturn

import pytest

#: What stands in each such reason, so that the end of a run can list them.
ABSENT = "is absent here:"


def absent(name: str, why: str) -> NoReturn:
    """Skip the calling test because a server is not there; fail where it must be.

    :param name: as in ``FYR_TEST_REQUIRED``.
    :param why: one sentence, with what would bring it.
    """
    reason = f"{name} {ABSENT} {why}"
    if name in os.environ.get("FYR_TEST_REQUIRED", "").split(","):
        pytest.fail(f"required, but {reason}", pytrace=False)
    pytest.skip(reason)
