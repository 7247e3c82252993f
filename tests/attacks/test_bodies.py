"""Bodies that are small and become large, deep or somebody else's files."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from fyr.core.caching import SHORT, cached_if_short
from fyr.core.rest.body import Bodies
from fyr.core.testing.client import Client
from fyr.search.extraction.units import unit
from fyr.search.hashes import hash64
from fyr.search.texts import fold, indexed

FHIR_XML = "application/fhir+xml"
MEGABYTE = 1_000_000


def patient(inside: str) -> bytes:
    return f'{{"resourceType":"Patient",{inside}}}'.encode()


class TestSizes:
    @pytest.fixture
    def fyr_options(self) -> dict[str, Any]:
        return {"server": {"max_body_bytes": MEGABYTE}}

    def test_a_kilobyte_that_unpacks_to_more_than_is_taken_is_refused(
        self, fyr_client: Client
    ) -> None:
        bomb = gzip.compress(b" " * 200 * MEGABYTE)
        assert len(bomb) < MEGABYTE

        for kind in ("application/fhir+json", FHIR_XML, "image/png"):
            path = "Binary" if kind == "image/png" else "Patient"
            answer = fyr_client.post(
                path, bomb, Content_Type=kind, Content_Encoding="gzip"
            )

            assert answer.status == 413

    def test_a_bomb_inside_a_bomb_is_unpacked_once(self, fyr_client: Client) -> None:
        bomb = gzip.compress(gzip.compress(b" " * 200 * MEGABYTE))

        once = fyr_client.post(
            "Patient", bomb, Content_Encoding="gzip", Content_Type=FHIR_XML
        )
        twice = fyr_client.post(
            "Patient", bomb, Content_Encoding="gzip, gzip", Content_Type=FHIR_XML
        )

        assert (once.status, twice.status) == (400, 415)

    def test_several_bombs_one_after_the_other_are_refused(
        self, fyr_client: Client
    ) -> None:
        bombs = gzip.compress(b" " * MEGABYTE) * 100

        answer = fyr_client.post("Patient", bombs, Content_Encoding="gzip")

        assert answer.status == 400
        assert "goes on after" in answer.issues[0]

    def test_what_the_body_limit_lets_through_is_read(self) -> None:
        """The attack without its guard: the unpacked bytes are all there."""
        bomb = gzip.compress(b" " * 20 * MEGABYTE)

        assert len(Bodies(20 * MEGABYTE)._unzip(bomb)) == 20 * MEGABYTE

    def test_a_search_form_is_a_body_too(self, fyr_client: Client) -> None:
        form = "application/x-www-form-urlencoded"
        bomb = gzip.compress(b"name=" + b"a" * 50 * MEGABYTE)

        answer = fyr_client.post(
            "Patient/_search", bomb, Content_Type=form, Content_Encoding="gzip"
        )

        assert answer.status == 413


class TestShapes:
    @pytest.fixture
    def fyr_options(self) -> dict[str, Any]:
        return {"fhir": {"max_depth": 20, "max_number_digits": 20}}

    def nested(self, depth: int) -> dict[str, Any]:
        extension: dict[str, Any] = {"url": "http://example.org/e", "valueCode": "x"}
        for _ in range(depth):
            extension = {"url": "http://example.org/e", "extension": [extension]}
        return {"resourceType": "Patient", "extension": [extension]}

    def test_the_depth_of_the_settings_holds_for_json(self, fyr_client: Client) -> None:
        assert fyr_client.create(self.nested(8)).status == 201
        assert fyr_client.create(self.nested(10)).status == 400

    def test_the_depth_of_the_settings_holds_for_xml(self, fyr_client: Client) -> None:
        def nested(depth: int) -> str:
            begin = '<extension url="http://example.org/e">' * depth
            inner = '<valueCode value="x"/>' + "</extension>" * depth
            return f'<Patient xmlns="http://hl7.org/fhir">{begin}{inner}</Patient>'

        shallow = fyr_client.post("Patient", nested(9), Content_Type=FHIR_XML)
        deep = fyr_client.post("Patient", nested(11), Content_Type=FHIR_XML)

        assert (shallow.status, deep.status) == (201, 400)

    def test_the_digits_of_the_settings_hold(self, fyr_client: Client) -> None:
        def risk(digits: int) -> bytes:
            number = "0." + "1" * (digits - 2)
            return (
                '{"resourceType":"RiskAssessment","status":"final","subject":{"display":'
                f'"x"}},"prediction":[{{"probabilityDecimal":{number}}}]}}'
            ).encode()

        assert fyr_client.post("RiskAssessment", risk(20)).status == 201
        assert fyr_client.post("RiskAssessment", risk(21)).status == 400

    @pytest.mark.parametrize("depth", [21, 5_000, 500_000])
    def test_json_of_any_depth_is_refused(self, fyr_client: Client, depth: int) -> None:
        for begin, end in (("[", "]"), ('{"a":', "}")):
            text = patient('"x":' + begin * depth + "1" + end * depth)

            assert fyr_client.post("Patient", text).status == 400

    def test_xml_of_any_depth_is_refused(self, fyr_client: Client) -> None:
        for depth in (300, 100_000):
            text = "<Patient xmlns='http://hl7.org/fhir'>" + "<contact>" * depth

            answer = fyr_client.post("Patient", text, Content_Type=FHIR_XML)

            assert answer.status == 400

    @pytest.mark.parametrize(
        "number", ["9" * 21, "1e1000", "-1e-1000", "1e" + "9" * 18]
    )
    def test_numbers_that_fill_the_memory_are_refused(
        self, fyr_client: Client, number: str
    ) -> None:
        text = patient(f'"multipleBirthInteger":{number}')

        assert fyr_client.post("Patient", text).status == 400

    def test_narrative_of_any_depth_is_refused(self, fyr_client: Client) -> None:
        div = "<div xmlns='http://www.w3.org/1999/xhtml'>"
        text = {
            "status": "generated",
            "div": div + "<b>" * 20_000 + "x" + "</b>" * 20_000 + "</div>",
        }

        answer = fyr_client.create({"resourceType": "Patient", "text": text})

        assert answer.status == 400


SECRET = "the-content-of-a-file"


@pytest.mark.parametrize(
    "document",
    [
        # billion laughs
        '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
        '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>{begin}<language value="&c;"/>{end}',
        # quadratic blow-up
        '<!DOCTYPE a [<!ENTITY a "' + "a" * 50_000 + '">]>{begin}'
        '<language value="' + "&a;" * 5_000 + '"/>{end}',
        '<!DOCTYPE a [<!ENTITY x SYSTEM "{file}">]>{begin}<language value="&x;"/>{end}',
        '<!DOCTYPE a SYSTEM "{file}">{begin}{end}',
        '<!DOCTYPE a [<!ENTITY % x SYSTEM "{file}"> %x;]>{begin}{end}',
        '<!doctype a [<!ENTITY x SYSTEM "http://127.0.0.1:9/">]>{begin}{end}',
        "<!DOCTYPE a []>{begin}{end}",
        '{begin}<language value="&undeclared;"/>{end}',
    ],
)
def test_no_entity_is_read_or_expanded(
    client: Client, document: str, tmp_path: Path
) -> None:
    file = tmp_path / "secret"
    file.write_text(SECRET)
    sent = (
        document.replace("{file}", file.as_uri())
        .replace("{begin}", '<Patient xmlns="http://hl7.org/fhir">')
        .replace("{end}", "</Patient>")
    )

    for encoding in ("utf-8", "utf-16", "utf-7"):
        answer = client.post("Patient", sent.encode(encoding), Content_Type=FHIR_XML)

        assert answer.status == 400
        assert SECRET not in answer.body.decode()


def test_a_parser_that_resolves_entities_would_read_the_file(tmp_path: Path) -> None:
    """So what is refused above would be an attack elsewhere."""
    file = tmp_path / "secret"
    file.write_text(SECRET)
    text = (
        f'<!DOCTYPE a [<!ENTITY x SYSTEM "{file.as_uri()}">]>'
        '<Patient xmlns="http://hl7.org/fhir"><language>&x;</language></Patient>'
    )
    trusting = etree.XMLParser(resolve_entities=True, load_dtd=True)

    read = etree.fromstring(text.encode(), trusting)

    assert SECRET in etree.tostring(read, encoding="unicode")


def test_no_file_is_included(client: Client, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(SECRET)
    text = (
        '<Patient xmlns="http://hl7.org/fhir" xmlns:xi="http://www.w3.org/2001/XInclude">'
        f'<xi:include href="{file.as_uri()}" parse="text"/></Patient>'
    )

    answer = client.post("Patient", text, Content_Type=FHIR_XML)

    assert answer.status == 400
    assert SECRET not in answer.body.decode()


def test_a_patch_in_xml_reads_no_entity_either(client: Client) -> None:
    client.update({"resourceType": "Patient", "id": "patched"})
    text = '<!DOCTYPE a [<!ENTITY a "x">]><diff><remove sel="Patient/&a;"/></diff>'

    answer = client.patch("Patient/patched", text, "application/xml-patch+xml")

    assert answer.status == 400


def test_a_long_list_in_xml_is_read_in_the_time_that_it_is_long(client: Client) -> None:
    """Each element once made a list as long as all before it: 34 s for these 5 MB."""
    many = 300_000
    text = (
        '<Patient xmlns="http://hl7.org/fhir"><name>'
        + '<given value="x"/>' * many
        + "</name></Patient>"
    )

    answer = client.post(
        "Patient", text, Content_Type=FHIR_XML, Prefer="return=minimal"
    )

    assert answer.status == 201


EXPRESSIONS = {
    "parentheses": "(" * 1900 + "Patient.id" + ")" * 1900,
    "more than is read": "(" * 50_000 + "1" + ")" * 50_000,
    "wheres": "Patient" + ".where(true" * 300 + ")" * 300,
    "sum": "Patient.name.where(" + "+".join(["1"] * 1900) + " = 1)",
    "unary": "Patient.name[" + "-" * 3000 + "1]",
    "powers": "Patient" + ".descendants()" * 100,
    "repeat": "Patient.repeat($this | $this)",
    "a regular expression": "Patient.where('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!'.matches('^(a+)+$'))",
    "growing text": "Patient.where("
    + "('aaaaaaaaaa'"
    + ".replace('a','aaaaaaaaaa')" * 40
    + ") = '')",
}


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_an_expression_without_end_is_refused(client: Client, expression: str) -> None:
    client.update({"resourceType": "Patient", "id": "patched", "name": [{"text": "x"}]})
    parts = [
        {"name": "type", "valueCode": "replace"},
        {"name": "path", "valueString": EXPRESSIONS[expression]},
        {"name": "value", "valueString": "x"},
    ]
    patch = {
        "resourceType": "Parameters",
        "parameter": [{"name": "operation", "part": parts}],
    }

    answer = client.patch("Patient/patched", json.dumps(patch), "application/fhir+json")

    assert answer.status in (400, 422)


@pytest.mark.parametrize(
    "steps",
    [
        [{"op": "test", "path": "/id", "value": 1}] * 10_001,
        [{"op": "copy", "from": "/name", "path": f"/name/0/a{n}"} for n in range(60)],
        [{"op": "add", "path": "/name" * 50_000, "value": "x"}],
        [{"op": "add", "path": "/name/0/given/" + "9" * 5000, "value": "x"}],
    ],
    ids=["operations", "copies of copies", "path", "index"],
)
def test_a_json_patch_without_end_is_refused(client: Client, steps: Any) -> None:
    client.update({"resourceType": "Patient", "id": "patched", "name": [{"text": "x"}]})

    answer = client.patch(
        "Patient/patched", json.dumps(steps), "application/json-patch+json"
    )

    assert answer.status in (400, 422)


@pytest.mark.parametrize(
    "selector", ["//*" * 500, "/Patient" + "/name" * 390, "Patient/name[" + "(" * 1900]
)
def test_an_xml_patch_without_end_is_refused(client: Client, selector: str) -> None:
    client.update({"resourceType": "Patient", "id": "patched"})
    text = f'<diff><replace sel="{selector}">x</replace></diff>'

    answer = client.patch("Patient/patched", text, "application/xml-patch+xml")

    assert answer.status in (400, 422)


@pytest.mark.parametrize("function", [fold, indexed, hash64, unit])
def test_no_cache_keeps_a_text_of_a_megabyte(function: Any) -> None:
    """A cache of 65536 such texts would be all memory of the machine and more."""
    kept = function.cache_info().currsize

    function("å" * MEGABYTE)

    assert function.cache_info().currsize == kept


def test_a_cache_keeps_short_texts() -> None:
    """So that the test above could fail."""
    length = cached_if_short(8)(len)
    for size in (1, 1, SHORT, SHORT, SHORT + 1, SHORT + 1):
        assert length("a" * size) == size

    assert length.cache_info() == (2, 2, 8, 2)  # type: ignore[attr-defined]


@pytest.mark.parametrize("most", [64, 200])
class TestDeepest:
    """The deepest that is taken: once stored, it was a 400 for whoever saw its page."""

    @pytest.fixture
    def fyr_options(self, most: int) -> dict[str, Any]:
        return {"fhir": {"max_depth": most}}

    def deepest(self, most: int) -> dict[str, Any]:
        # Each extension is two levels, the resource and the list in it two more.
        return TestShapes().nested(most // 2 - 2)

    def test_what_was_taken_is_shown_in_every_form(
        self, fyr_client: Client, most: int
    ) -> None:
        deep = self.deepest(most)
        assert fyr_client.create(TestShapes().nested(most // 2 - 1)).status == 400
        made = fyr_client.create(deep)
        assert made.status == 201
        path = f"Patient/{made.json['id']}"

        for asked in (path, f"{path}/_history", f"Patient?_id={made.json['id']}"):
            for form in ({}, {"_pretty": "true"}, {"_elements": "extension"}):
                assert fyr_client.get(asked, form).status == 200
        # XML is as deep as libxml2 reads, and no reader is made to read more.
        if most == 64:
            for asked in (path, f"{path}/_history", f"Patient?_id={made.json['id']}"):
                assert fyr_client.get(asked, {"_format": "xml"}).status == 200

    def test_what_was_taken_can_be_changed_and_deleted(
        self, fyr_client: Client, most: int
    ) -> None:
        deep = self.deepest(most)
        path = f"Patient/{fyr_client.create(deep).json['id']}"
        identity = path.partition("/")[2]
        entry = {
            "resource": {**deep, "id": identity},
            "request": {"method": "PUT", "url": path},
        }
        bundle = {"resourceType": "Bundle", "type": "batch", "entry": [entry]}

        assert fyr_client.put(path, {**deep, "id": identity}).status == 200
        assert fyr_client.post("", bundle).status in (200, 400)
        assert fyr_client.delete(path).status == 204
