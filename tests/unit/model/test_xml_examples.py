"""All official R4 examples survive the way from JSON to XML and back."""

import html
import re
import tarfile
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from fyr.core.model import json, xml

PACKAGE = (
    Path(__file__).parents[4] / "shared" / "data" / "hl7.fhir.r4.examples-4.0.1.tgz"
)
#: Larger ones are the specification's own definitions: the same again, for minutes.
LARGEST = 1_000_000
ENTITY = re.compile(r"&(?!(?:amp|lt|gt|quot|apos);)[A-Za-z][A-Za-z0-9]*;")


def comparable(value: Any) -> Any:
    """Bring narratives into XML's canonical form; all else stays as it is."""
    if isinstance(value, dict):
        return {key: comparable(member) for key, member in value.items()}
    if isinstance(value, list):
        return [comparable(item) for item in value]
    if isinstance(value, str) and value.lstrip().startswith("<div"):
        div = ENTITY.sub(lambda match: html.unescape(match[0]), value)
        return etree.tostring(etree.fromstring(f"<r>{div}</r>"), method="c14n")
    if type(value) is int or isinstance(value, str | bool):
        return value
    return str(getattr(value, "text", value))


@pytest.mark.skipif(not PACKAGE.exists(), reason=f"{PACKAGE.name} is not there")
@pytest.mark.parametrize("part", range(4))
def test_examples_come_back_from_xml_the_same(part: int) -> None:
    altered = []
    count = 0
    with tarfile.open(PACKAGE) as package:
        for number, member in enumerate(package):
            wanted = member.name.endswith(".json") and member.size <= LARGEST
            if number % 4 != part or not wanted or "package.json" in member.name:
                continue
            file = package.extractfile(member)
            assert file is not None
            resource = json.parse(file.read())
            count += 1
            if comparable(xml.parse(xml.dump(resource))) != comparable(resource):
                altered.append(member.name)

    assert altered == []
    assert count > 1200
