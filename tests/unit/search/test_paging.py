"""Pages stay whole while others write: https://hl7.org/fhir/R4/http.html#paging."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fyr.core.errors import Gone, Invalid

#: What others do between two pages: make, change or delete the resource of a number.
WRITES = st.lists(
    st.tuples(st.sampled_from(["make", "change", "delete"]), st.integers(0, 11)),
    max_size=3,
)


def patient(number: int, family: str = "a") -> dict[str, Any]:
    return {
        "resourceType": "Patient",
        "id": f"p{number:03d}",
        "active": True,
        "name": [{"family": family}],
    }


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    st.sampled_from(["", "active=true", "_sort=-_id", "name=a&_sort=family"]),
    st.integers(1, 4),
    st.lists(WRITES, max_size=8),
)
def test_no_page_repeats_or_skips_what_was_there_throughout(
    library: Any, query: str, count: int, turns: list[list[tuple[str, int]]]
) -> None:
    library.empty()
    kept = {one.id: one for one in library.put(*(patient(n) for n in range(12)))}
    throughout, made, seen = set(kept), 100, []
    writes = iter(turns)

    for page in library.all_pages("Patient", f"{query}&_count={count}".lstrip("&")):
        seen += [one.id for one in page]
        for kind, number in next(writes, []):
            name = f"p{number:03d}"
            if kind == "make":
                made += 1
                library.put(patient(made))
            elif kind == "change" and name in kept:
                kept[name] = library.change(patient(number), kept[name])
            elif name in kept:
                library.change(None, kept.pop(name))
                throughout.discard(name)

    assert len(seen) == len(set(seen))
    assert throughout <= set(seen)


def test_pages_hold_all_matches_in_one_order(library: Any) -> None:
    families = ["b", "a", "å", "b", "c", "A", "a"]
    library.put(*(patient(n, family) for n, family in enumerate(families)))

    for sort in ("family", "-family", "family,-_id", "-_lastUpdated"):
        pages = library.all_pages("Patient", f"_sort={sort}&_count=2")

        found = [one.id for page in pages for one in page]
        assert found == library.ids("Patient", f"_sort={sort}")


def test_a_page_link_is_good_for_its_time_and_its_search(library: Any) -> None:
    library.put(patient(1), patient(2))
    cursor = library.page("Patient", "_count=1").next

    assert library.ids("Patient", f"_count=1&_cursor={cursor}") == ["p002"]
    with pytest.raises(Invalid):
        library.page("Patient", f"_count=1&active=true&_cursor={cursor}")
    library.clock.advance(seconds=3601)
    with pytest.raises(Gone):
        library.page("Patient", f"_count=1&_cursor={cursor}")
