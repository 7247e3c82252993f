"""Builds ``search/data/compartments.json`` from the CompartmentDefinitions of FHIR R4.

    python tools/build_compartments.py hl7.fhir.r4.examples-4.0.1.tgz

The package is CC0. By compartment and resource type, a line a type, the reference
parameters that put a resource into the compartment; ``{def}``, the resource itself, is
left out, as it always belongs. Run again, it writes the same bytes.
"""

import json
import sys
import tarfile
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parent.parent / "search" / "data" / "compartments.json"
NAMES = ("device", "encounter", "patient", "practitioner", "relatedPerson")
ITSELF = "{def}"

Json = dict[str, Any]


def main(package: str) -> None:
    """Read the package and write the file anew."""
    with tarfile.open(package) as archive:
        found = [definition(archive, name) for name in NAMES]
    TARGET.write_text(written(found), encoding="utf-8")


def definition(archive: tarfile.TarFile, name: str) -> Json:
    """Give one CompartmentDefinition."""
    path = f"package/CompartmentDefinition-{name}.json"
    member = archive.extractfile(path)
    if member is None:
        raise SystemExit(f"the package has no {path}")
    read: Json = json.load(member)
    return read


def members(source: Json) -> dict[str, list[str]]:
    """Tell by which parameters resources of each type belong to a compartment."""
    found: dict[str, list[str]] = {source["code"]: []}
    for one in source["resource"]:
        names = [name for name in one.get("param", []) if name != ITSELF]
        if names:
            found[one["code"]] = sorted(names)
    return found


def written(definitions: list[Json]) -> str:
    """Write a line a type, so that a difference can be read."""
    blocks = []
    for source in definitions:
        lines = [
            f"{json.dumps(kind)}:{json.dumps(names, separators=(',', ':'))}"
            for kind, names in sorted(members(source).items())
        ]
        head = f'{json.dumps(source["code"])}:{{"url":{json.dumps(source["url"])}'
        blocks.append(f'{head},"types":{{\n' + ",\n".join(lines) + "\n}}")
    return "{\n" + ",\n".join(blocks) + "\n}\n"


if __name__ == "__main__":
    main(*sys.argv[1:])
