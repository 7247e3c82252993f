"""Builds ``search/data/r4.json`` from the SearchParameters of FHIR R4.

    python tools/build_search_parameters.py hl7.fhir.r4.examples-4.0.1.tgz

The package (CC0, packed or unpacked) holds them in its ``Bundle-searchParams.json``.
By resource type, a line a parameter, with only those parts of its expression that are
about the type. Run again, it writes the same bytes.
"""

import json
import sys
import tarfile
from pathlib import Path
from typing import Any

from fyr.search.extraction.expressions import parts_of

TARGET = Path(__file__).parent.parent / "search" / "data" / "r4.json"
BUNDLE = "Bundle-searchParams.json"
#: A reference with so many targets may lead to every type.
ANY_TYPE = 140

#: R4 names these two of ``DocumentReference-relationship`` in the wrong order.
SWAPPED = {
    "DocumentReference-relatesto": "DocumentReference-relation",
    "DocumentReference-relation": "DocumentReference-relatesto",
}

Json = dict[str, Any]


def main(package: str) -> None:
    """Read the package and write the file anew."""
    types: dict[str, dict[str, Json]] = {}
    for source in read(Path(package)):
        for base in source["base"]:
            types.setdefault(base, {})[source["code"]] = line_of(source, base)
    TARGET.write_text(written(types), encoding="utf-8")


def read(package: Path) -> list[Json]:
    """Give the SearchParameter resources, in the package's order."""
    if package.is_dir():
        bundle = json.loads((package / BUNDLE).read_bytes())
    else:
        with tarfile.open(package) as archive:
            member = archive.extractfile(f"package/{BUNDLE}")
            if member is None:
                raise SystemExit(f"{package} has no {BUNDLE}")
            bundle = json.load(member)
    return [entry["resource"] for entry in bundle["entry"]]


def line_of(source: Json, base: str) -> Json:
    """Keep of a parameter what it means for one type."""
    line = {
        "type": source["type"],
        "id": source["id"],
        "paths": parts_of(source.get("expression", ""), base),
        "targets": targets_of(source),
        "usage": source.get("xpathUsage", "normal").replace("normal", ""),
        "components": [
            [SWAPPED.get(name, name), one["expression"]]
            for one in source.get("component", [])
            for name in [one["definition"].rpartition("/")[2]]
        ],
    }
    return {key: value for key, value in line.items() if value}


def targets_of(source: Json) -> list[str]:
    """Name the types that a reference may lead to; none where it may be any."""
    targets = sorted(source.get("target", []))
    return targets if len(targets) < ANY_TYPE else []


def written(types: dict[str, dict[str, Json]]) -> str:
    """Write a line a parameter, so that a difference can be read."""
    blocks = []
    for name in sorted(types):
        lines = [
            f"{json.dumps(code)}:{json.dumps(types[name][code], separators=(',', ':'))}"
            for code in sorted(types[name])
        ]
        blocks.append(f"{json.dumps(name)}:{{\n" + ",\n".join(lines) + "\n}")
    return "{\n" + ",\n".join(blocks) + "\n}\n"


if __name__ == "__main__":
    main(*sys.argv[1:])
