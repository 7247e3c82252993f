"""XML Patch, as https://www.rfc-editor.org/rfc/rfc5261 has it."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fyr.core.errors import Invalid, Refused
from fyr.core.model import json, patch
from fyr.core.model.json import DEFAULT_LIMITS
from fyr.core.model.xml_patch import XmlPatch
from fyr.core.model.xml_selectors import read_selector

PATIENT = json.parse(
    b"""{"resourceType": "Patient", "id": "p", "active": true,
    "name": [{"id": "n1", "use": "official", "given": ["A", "B"]}, {"use": "usual"}],
    "birthDate": "1920-01-01",
    "contact": [{"name": {"text": "n"}, "gender": "male"}]}"""
)


def patched(operations: str, attributes: str = 'xmlns:f="http://hl7.org/fhir"') -> Any:
    document = f"<diff {attributes}>{operations}</diff>".encode()
    return patch.apply(PATIENT, XmlPatch.read(document, DEFAULT_LIMITS))


def test_an_attribute_is_replaced() -> None:
    done = patched('<replace sel="f:Patient/f:birthDate/@value">1930-01-01</replace>')

    assert done == {**PATIENT, "birthDate": "1930-01-01"}


@pytest.mark.parametrize(
    ("attributes", "selector"),
    [
        ("", "Patient/birthDate/@value"),
        ("", "/Patient/birthDate/@value"),
        ('xmlns="http://hl7.org/fhir"', "Patient/birthDate/@value"),
        ('xmlns:x="http://hl7.org/fhir"', "x:Patient/x:birthDate/@value"),
        ("", "*/birthDate/@value"),
    ],
)
def test_fhirs_namespace_can_be_named_or_left_out(
    attributes: str, selector: str
) -> None:
    done = patched(f'<replace sel="{selector}">2000</replace>', attributes)

    assert done["birthDate"] == "2000"


@pytest.mark.parametrize(
    ("position", "expected"),
    [
        ('sel="Patient/name[1]/given[2]" pos="before"', ["A", "N", "B"]),
        ('sel="Patient/name[1]/given[1]" pos="after"', ["A", "N", "B"]),
        ('sel="Patient/name[1]"', ["A", "B", "N"]),
        ('sel="Patient/name[1]" pos="prepend"', ["N", "A", "B"]),
    ],
)
def test_an_element_is_added_at_its_position(
    position: str, expected: list[str]
) -> None:
    done = patched(f'<add {position}><given value="N"/></add>')

    assert done["name"][0]["given"] == expected


def test_an_attribute_is_added() -> None:
    done = patched('<add sel="Patient/active" type="@id">a1</add>')

    assert done["_active"] == {"id": "a1"}


def test_an_element_is_replaced() -> None:
    done = patched(
        '<replace sel="Patient/name[2]"><name><text value="T"/></name></replace>'
    )

    assert done["name"][1] == {"text": "T"}


@pytest.mark.parametrize(
    "selector",
    [
        "Patient/name[2]",
        "Patient/name[use/@value='usual']",
        "Patient/*[use/@value='usual']",
        "Patient/name[use/@value='usual'][1]",
    ],
)
def test_an_element_is_removed(selector: str) -> None:
    assert len(patched(f'<remove sel="{selector}"/>')["name"]) == 1


def test_an_element_is_found_by_its_id() -> None:
    assert patched("""<remove sel="id('n1')/given[1]"/>""")["name"][0]["given"] == ["B"]


def test_what_a_removal_empties_is_removed_too() -> None:
    done = patched('<remove sel="Patient/contact/name/text"/>')

    assert done["contact"] == [{"gender": "male"}]


@pytest.mark.parametrize(
    "operations",
    [
        '<remove sel="Patient/photo"/>',
        '<remove sel="Patient/name"/>',
        '<remove sel="Observation/name"/>',
        '<remove sel="Patient"/>',
        '<remove sel="Patient/active/@id"/>',
        '<remove sel="Patient/active/@value"/>',
        '<add sel="Patient/active" type="@value">false</add>',
        '<add sel="Patient"><nick value="x"/></add>',
        '<add sel="Patient"><active value="true"/></add>',
        '<replace sel="Patient/id/@value">other</replace>',
    ],
)
def test_an_operation_that_does_not_fit_is_refused(operations: str) -> None:
    with pytest.raises(Refused):
        patched(operations)


@pytest.mark.parametrize(
    "operations",
    [
        "",
        "<jump/>",
        "<remove/>",
        '<remove sel="//name"/>',
        '<remove sel="Patient/name[last()]"/>',
        '<remove sel="count(Patient)"/>',
        '<remove sel="x:Patient"/>',
        '<remove sel="Patient/"/>',
        '<remove sel="Patient/name" colour="red"/>',
        '<remove sel="Patient/name">text</remove>',
        '<replace sel="Patient/name"/>',
        '<replace sel="Patient/name"><name/><name/></replace>',
        '<add sel="Patient"/>',
        '<add sel="Patient" pos="inside"><name/></add>',
        '<add sel="Patient" type="namespace::x">y</add>',
        '<add sel="Patient/active/@id">y</add>',
    ],
)
def test_a_malformed_operation_is_refused(operations: str) -> None:
    with pytest.raises(Invalid):
        patched(operations)


def test_a_document_type_is_refused() -> None:
    with pytest.raises(Invalid, match="document type"):
        XmlPatch.read(b'<!DOCTYPE a [<!ENTITY b "c">]><diff/>', DEFAULT_LIMITS)


def test_all_malformed_operations_are_told_at_once() -> None:
    with pytest.raises(Invalid) as refusal:
        patched('<jump/><remove sel="Patient/active"/><add sel="Patient"/>')

    assert [i.diagnostics.partition(":")[0] for i in refusal.value.issues] == [
        "operation 0",
        "operation 2",
    ]


def test_all_operations_together_have_one_budget() -> None:
    selector = "Patient" + "[name/@id='n1']" * 100 + "/active"
    change = f'<add sel="{selector}" pos="after"><name><text value="x"/></name></add>'

    with pytest.raises(Invalid) as refusal:
        patched(change * 900)

    assert [issue.code for issue in refusal.value.issues] == ["too-costly"]


@given(st.text("/@*[]().:='\"fab12 ", max_size=40))
def test_no_selector_raises_anything_but_a_refusal(text: str) -> None:
    with suppress(Invalid):
        selector = read_selector(text, {})
        assert selector.steps or selector.id is not None
