"""Searches by value sets and code systems that are stored, on both databases."""

from typing import Any

import pytest

from .stored import A, B, Resource, code_system


def observation(identity: str, *codes: str) -> Resource:
    """An observation with codes such as ``http://a|1``."""
    coding = [
        dict(zip(("system", "code"), one.split("|"), strict=True)) for one in codes
    ]
    code = {"code": {"coding": coding}} if coding else {}
    return {"resourceType": "Observation", "id": identity, "status": "final", **code}


@pytest.fixture
def library(library: Any) -> Any:
    library.put(
        observation("a1", f"{A}|1"),
        observation("a2", f"{A}|2"),
        observation("a11", f"{A}|11"),
        observation("b1", f"{B}|1"),
        observation("both", f"{A}|2", f"{B}|1"),
        observation("none"),
        code_system("a", A, {"code": "1", "concept": [{"code": "11"}]}, {"code": "2"}),
    )
    return library
