"""``_list`` on both databases."""

from typing import Any

import pytest

from fyr.core.errors import Invalid, NotSupported

from .found import Resource


def test_a_list_finds_what_is_on_it_and_was_not_deleted(library: Any) -> None:
    def entry(reference: str, **more: Any) -> Resource:
        return {"item": {"reference": reference}, **more}

    library.put(
        *({"resourceType": "Patient", "id": one} for one in ("a", "b", "c", "d")),
        {"resourceType": "Observation", "id": "a"},
        {
            "resourceType": "List",
            "id": "42",
            "entry": [
                entry("Patient/a"),
                entry("Patient/b", deleted=True),
                entry("Patient/c", deleted=False),
                entry("Observation/a"),
            ],
        },
        {"resourceType": "List", "id": "43", "entry": [entry("Patient/d")]},
    )

    assert library.ids("Patient", "_list=42") == ["a", "c"]
    assert library.ids("Patient", "_list=42,43") == ["a", "c", "d"]
    assert library.ids("Patient", "_list=42&_list=43") == []
    assert library.ids("Patient", "_list=none") == []
    assert library.ids(None, "_list=42&_type=Observation") == ["a"]
    # The parameter of List itself sees every entry.
    assert library.ids("List", "item=Patient/b") == ["42"]


def test_has_finds_only_what_is_searched(library: Any) -> None:
    library.put(
        {"resourceType": "Patient", "id": "a"},
        {"resourceType": "Group", "id": "a"},
        *(
            {
                "resourceType": "Observation",
                "id": f"of-{kind}",
                "status": "final",
                "subject": {"reference": f"{kind}/a"},
            }
            for kind in ("Patient", "Group")
        ),
    )

    page = library.page("Patient", "_has:Observation:subject:status=final")
    assert [(one.type, one.id) for one in page.matches] == [("Patient", "a")]


def test_lists_that_are_not_kept_are_named(library: Any) -> None:
    with pytest.raises(
        NotSupported, match=r"'\$current-allergies' is a functional list"
    ):
        library.page("Patient", "_list=$current-allergies")
    with pytest.raises(Invalid, match="_list is the id of a List"):
        library.page("Patient", "_list=List/42")
