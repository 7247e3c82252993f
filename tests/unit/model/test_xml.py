"""FHIR's XML form, both ways."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fyr.core.errors import Invalid, NotAcceptable
from fyr.core.model import json, xml
from fyr.core.model.json import Limits


def fhir(inside: str, kind: str = "Patient") -> bytes:
    return f'<{kind} xmlns="http://hl7.org/fhir">{inside}</{kind}>'.encode()


def problems(data: bytes) -> list[tuple[str, tuple[str, ...]]]:
    with pytest.raises(Invalid) as refusal:
        xml.parse(data)
    return [(issue.diagnostics, issue.expression) for issue in refusal.value.issues]


def there_and_back(body: bytes) -> bytes:
    return json.dump(xml.parse(xml.dump(json.parse(body))))


def test_decimals_keep_their_text() -> None:
    body = (
        b'{"resourceType":"Observation","status":"final","code":{"text":"t"},'
        b'"valueQuantity":{"value":1.00},"component":'
        b'[{"code":{"text":"c"},"valueQuantity":{"value":1e-10}}]}'
    )

    assert there_and_back(body) == body


def test_extensions_of_primitives_stay_beside_their_values() -> None:
    body = (
        b'{"resourceType":"Patient","name":[{"given":["A",null,"C"],"_given":'
        b'[null,{"extension":[{"url":"u","valueCode":"x"}]},{"id":"c"}]}],'
        b'"_birthDate":{"extension":[{"url":"u","valueCode":"unknown"}]}}'
    )

    assert there_and_back(body) == body


def test_line_breaks_and_quotes_in_values_survive() -> None:
    body = (
        b'{"resourceType":"Patient","name":[{"text":"a\\n\\tb \\"c\\" <&> \\u00e5"}]}'
    )

    assert json.parse(there_and_back(body)) == json.parse(body)


def test_elements_are_written_in_the_order_of_the_definition() -> None:
    written = xml.dump(
        json.parse(b'{"birthDate":"2000","resourceType":"Patient","id":"a"}')
    )

    assert written.index(b"<id ") < written.index(b"<birthDate ")


def test_contained_resources_and_narratives_are_nested() -> None:
    body = (
        b'{"resourceType":"Patient","text":{"status":"generated","div":'
        b'"<div xmlns=\\"http://www.w3.org/1999/xhtml\\">a <b>b</b> c</div>"},'
        b'"contained":[{"resourceType":"Organization","id":"o","active":true}]}'
    )

    assert there_and_back(body) == body


def test_pretty_printing_leaves_the_narrative_alone() -> None:
    div = '<div xmlns="http://www.w3.org/1999/xhtml"><p>a <b>b</b><i>c</i></p></div>'
    resource = {
        "resourceType": "Patient",
        "text": {"status": "generated", "div": div},
        "active": True,
    }

    written = xml.dump(resource, pretty=True)

    assert b'\n  <active value="true"/>' in written
    assert xml.parse(written) == resource


def test_entities_of_html_become_characters() -> None:
    div = '<div xmlns="http://www.w3.org/1999/xhtml">a&nbsp;&amp;</div>'
    resource = {"resourceType": "Patient", "text": {"status": "empty", "div": div}}

    back = xml.parse(xml.dump(resource))

    assert back["text"]["div"].endswith(">a\u00a0&amp;</div>")


def test_comments_outside_of_the_narrative_are_dropped() -> None:
    assert xml.parse(fhir('<!-- a --><id value="a"/><?pi b?>')) == {
        "resourceType": "Patient",
        "id": "a",
    }


def test_all_problems_are_told_with_their_places() -> None:
    found = problems(
        fhir(
            '<foo value="1"/><name><given/><bar/></name><active value="true" x="1"/>text'
        )
    )

    assert found == [
        ("text where only elements belong", ("Patient",)),
        ("unknown element <foo>", ("Patient.foo",)),
        ("neither a value nor extensions", ("Patient.name[0].given[0]",)),
        ("unknown element <bar>", ("Patient.name[0].bar",)),
        ("unknown attribute 'x'", ("Patient.active",)),
    ]


def test_a_single_element_that_comes_twice_is_refused() -> None:
    found = problems(fhir('<gender value="male"/><gender value="female"/>'))

    assert found == [("<gender> more than once", ("Patient.gender",))]


def test_values_of_the_wrong_kind_are_left_to_validation() -> None:
    assert xml.parse(fhir('<active value="yes"/>'))["active"] == "yes"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<Patient",
        b'<!DOCTYPE a [<!ENTITY b "c">]><Patient xmlns="http://hl7.org/fhir"/>',
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><Patient xmlns="http://hl7.org/fhir"/>',
        fhir("&b;"),
        b'<Patient xmlns="http://example.org"/>',
        b"<Patient/>",
        b'<Foo xmlns="http://hl7.org/fhir"/>',
        fhir("<contained><Patient/><Patient/></contained>"),
        fhir('<text><status value="empty"/><div>a</div></text>'),
        '<?xml version="1.0" encoding="UTF-16"?><Patient xmlns="http://hl7.org/fhir"/>'.encode(
            "utf-16"
        ),
    ],
)
def test_what_is_not_a_resource_is_refused(data: bytes) -> None:
    with pytest.raises(Invalid):
        xml.parse(data)


def test_nesting_is_bounded() -> None:
    deep = '<extension url="u">' * 70 + "</extension>" * 70

    with pytest.raises(Invalid, match="deeper than 64"):
        xml.parse(fhir(deep), Limits(max_depth=64))


@pytest.mark.parametrize(
    "text", ["a\u0000b", "a\u0008b"], ids=["null character", "backspace"]
)
def test_characters_that_xml_does_not_have_are_not_acceptable(text: str) -> None:
    with pytest.raises(NotAcceptable):
        xml.dump({"resourceType": "Patient", "name": [{"text": text}]})


@pytest.mark.parametrize("div", ["<div>", "no markup", "<p>a</p>", "<div></p>"])
def test_a_narrative_that_is_not_xhtml_is_not_acceptable(div: str) -> None:
    with pytest.raises(NotAcceptable):
        xml.dump({"resourceType": "Patient", "text": {"status": "empty", "div": div}})


def test_an_element_that_r4_does_not_have_is_not_dropped_in_silence() -> None:
    with pytest.raises(NotAcceptable, match="nick"):
        xml.dump({"resourceType": "Patient", "nick": "Bo"})


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_but_a_refusal(data: bytes) -> None:
    with pytest.raises(Invalid):
        xml.parse(data)


@given(
    st.text(
        st.characters(
            exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"
        ),
        min_size=1,
    )
)
def test_any_text_survives(text: str) -> None:
    resource = {"resourceType": "Patient", "name": [{"text": text}]}

    assert xml.parse(xml.dump(resource)) == resource
