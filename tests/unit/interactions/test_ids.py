import re

from hypothesis import given
from hypothesis import strategies as st

from fyr.core.interactions.ids import new_id
from fyr.core.model.definitions import PRIMITIVES


@given(st.integers(0, 2**48 - 1))
def test_an_id_is_one_that_fhir_allows(millis: int) -> None:
    identity = new_id(millis)

    assert len(identity) == 26
    assert re.fullmatch(PRIMITIVES["id"], identity)


@given(st.integers(0, 2**48 - 2))
def test_ids_sort_by_the_time_they_were_made(millis: int) -> None:
    assert new_id(millis) < new_id(millis + 1)


def test_ids_of_one_millisecond_differ() -> None:
    assert len({new_id(1) for _ in range(1000)}) == 1000
