"""Patches of all three kinds, read by media type and applied to a copy."""

from copy import deepcopy

import pytest

from fyr.core.errors import Invalid, Refused, UnsupportedMediaType
from fyr.core.model import json, patch

PATIENT = {"resourceType": "Patient", "id": "p", "active": True}
PARAMETERS = json.dump(
    {
        "resourceType": "Parameters",
        "parameter": [
            {
                "name": "operation",
                "part": [
                    {"name": "type", "valueCode": "replace"},
                    {"name": "path", "valueString": "Patient.active"},
                    {"name": "value", "valueBoolean": False},
                ],
            }
        ],
    }
)
PARAMETERS_XML = b"""<Parameters xmlns="http://hl7.org/fhir"><parameter>
<name value="operation"/>
<part><name value="type"/><valueCode value="replace"/></part>
<part><name value="path"/><valueString value="Patient.active"/></part>
<part><name value="value"/><valueBoolean value="false"/></part>
</parameter></Parameters>"""
JSON_PATCH = b'[{"op":"replace","path":"/active","value":false}]'
XML_PATCH = b'<diff><replace sel="Patient/active/@value">false</replace></diff>'
BODIES = [
    ("application/json-patch+json", JSON_PATCH),
    ("application/fhir+json", PARAMETERS),
    ("application/json", PARAMETERS),
    ("application/fhir+xml", PARAMETERS_XML),
    ("application/xml-patch+xml", XML_PATCH),
]


@pytest.mark.parametrize(("media_type", "body"), BODIES)
def test_each_kind_changes_a_copy(media_type: str, body: bytes) -> None:
    before = deepcopy(PATIENT)

    done = patch.apply(PATIENT, patch.read(media_type, body))

    assert done == {**before, "active": False}
    assert before == PATIENT


@pytest.mark.parametrize(("media_type", "body"), BODIES)
def test_a_patch_can_be_applied_again(media_type: str, body: bytes) -> None:
    read = patch.read(media_type, body)

    assert patch.apply(PATIENT, read) == patch.apply(PATIENT, read)


def test_other_media_types_are_not_supported() -> None:
    with pytest.raises(UnsupportedMediaType):
        patch.read("application/merge-patch+json", b"{}")


@pytest.mark.parametrize("media_type", patch.MEDIA_TYPES)
@pytest.mark.parametrize("body", [b"", b"{}", b"[1]", b"<a/>", b"\xff", b"null"])
def test_what_is_no_patch_is_refused(media_type: str, body: bytes) -> None:
    with pytest.raises(Invalid):
        patch.read(media_type, body)


@pytest.mark.parametrize(
    "body",
    [
        b'[{"op":"replace","path":"/id","value":"q"}]',
        b'[{"op":"replace","path":"/resourceType","value":"Person"}]',
        b'[{"op":"remove","path":"/id"}]',
        b'[{"op":"replace","path":"","value":[]}]',
    ],
)
def test_a_patch_cannot_make_another_resource(body: bytes) -> None:
    with pytest.raises(Refused):
        patch.apply(PATIENT, patch.read("application/json-patch+json", body))
