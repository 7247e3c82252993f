"""Builds ``core/model/definitions/r4`` from the StructureDefinitions of FHIR R4.

    python tools/build_definitions.py hl7.fhir.r4.examples-4.0.1.tgz [FOLDER]

The package (CC0) holds them in its ``Bundle-types.json`` and ``Bundle-resources.json``,
and the codes of required bindings in ``Bundle-valuesets.json`` and
``Bundle-v3-valuesets.json``. One file a type, one line an element; what is left out of
a line has the commonest value. Run again, it writes the same bytes.
"""

import json
import sys
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parent.parent / "core" / "model" / "definitions" / "r4"
#: Value sets with more codes are a terminology service's to check.
MOST_CODES = 500
BASE = "http://hl7.org/fhir/StructureDefinition/"
REGEX = BASE + "regex"
FHIR_TYPE = BASE + "structuredefinition-fhir-type"

Json = dict[str, Any]


def main(package: str, target: Path = TARGET) -> None:
    """Read the package and write all files anew."""
    bundles = read_bundles(package)
    structures = [
        one
        for name in ("types", "resources")
        for one in bundles[name]
        if one["resourceType"] == "StructureDefinition" and one["kind"] != "logical"
    ]
    value_sets = expand_all(bundles["valuesets"] + bundles["v3-valuesets"])
    files = {
        one["name"]: type_file(one, value_sets)
        for one in structures
        if one["kind"] != "primitive-type"
    }
    used = {line.get("codes") for one in files.values() for line in one["elements"]}
    files["_types"] = type_lists(structures)
    files["_primitives"] = dict(primitives(structures))
    files["_value_sets"] = {url: value_sets[url] for url in sorted(used - {None})}
    for old in target.glob("*.json"):
        old.unlink()
    for name, content in files.items():
        (target / f"{name}.json").write_text(rendered(content), encoding="utf-8")


def read_bundles(package: str) -> dict[str, list[Json]]:
    """Give the resources in the four bundles that are needed."""
    found = {}
    with tarfile.open(package) as archive:
        for name in ("types", "resources", "valuesets", "v3-valuesets"):
            member = archive.extractfile(f"package/Bundle-{name}.json")
            if member is None:
                raise SystemExit(f"{package} has no Bundle-{name}.json")
            bundle = json.load(member)
            found[name] = [entry["resource"] for entry in bundle["entry"]]
    return found


def type_lists(structures: list[Json]) -> dict[str, list[str]]:
    """Name the types of each kind; abstract ones cannot be stored."""
    lists: dict[str, list[str]] = {"resources": [], "datatypes": [], "abstract": []}
    for one in structures:
        if one["abstract"]:
            lists["abstract"].append(one["name"])
        elif one["kind"] == "resource":
            lists["resources"].append(one["name"])
        elif one["kind"] == "complex-type":
            lists["datatypes"].append(one["name"])
    return {kind: sorted(names) for kind, names in lists.items()}


def primitives(structures: list[Json]) -> Iterator[tuple[str, str]]:
    """Give each primitive type with its regular expression, empty where it has none."""
    for one in sorted(structures, key=lambda one: str(one["name"])):
        if one["kind"] == "primitive-type":
            value = next(
                e for e in one["snapshot"]["element"] if e["path"].endswith(".value")
            )
            yield one["name"], extension(value["type"][0], REGEX) or ""


def extension(holder: Json, url: str) -> str | None:
    """Read an extension that holds one value."""
    for one in holder.get("extension", ()):
        if one["url"] == url:
            return next(str(v) for k, v in one.items() if k.startswith("value"))
    return None


def type_file(structure: Json, value_sets: dict[str, Json]) -> Json:
    """Give one type: a head, then its elements in their order."""
    kind = structure["kind"]
    return {
        "name": structure["name"],
        "kind": kind,
        "abstract": structure["abstract"],
        "base": structure.get("baseDefinition", "").removeprefix(BASE),
        "elements": [
            compact(element, kind, value_sets)
            for element in structure["snapshot"]["element"][1:]
            if element["max"] != "0"
        ],
    }


def compact(element: Json, kind: str, value_sets: dict[str, Json]) -> Json:
    """Keep of an element what the server asks for."""
    line: Json = {"path": element["path"]}
    if element["min"]:
        line["min"] = element["min"]
    if element["max"] == "*":
        line["list"] = True
    if element.get("isSummary"):
        line["summary"] = True
    if element.get("isModifier"):
        line["modifier"] = True
    if "contentReference" in element:
        line["like"] = element["contentReference"].removeprefix("#")
    else:
        line["types"] = types(element, kind)
    binding = element.get("binding", {})
    url = binding.get("valueSet", "").partition("|")[0]
    if binding.get("strength") == "required" and url in value_sets:
        line["codes"] = url
    return line


def types(element: Json, kind: str) -> dict[str, list[str]]:
    """Give the types that an element may have, each with its reference targets."""
    found = {}
    for one in element["type"]:
        code = one["code"]
        # The definitions give "string" here, and the text (and its limits) of "id".
        if kind == "resource" and element["path"].count(".") == 1:
            code = "id" if element["path"].endswith(".id") else code
        code = extension(one, FHIR_TYPE) or code if ":" in code else code
        if BASE + "SimpleQuantity" in one.get("profile", ()):
            code = "SimpleQuantity"
        found[code] = [url.removeprefix(BASE) for url in one.get("targetProfile", ())]
    return found


def expand_all(resources: list[Json]) -> dict[str, Json]:
    """Give the codes of each value set that can be told from the package."""
    systems = {
        one["url"]: one for one in resources if one["resourceType"] == "CodeSystem"
    }
    found = {}
    for one in resources:
        if one["resourceType"] == "ValueSet":
            expanded = expand(one, systems)
            if expanded and sum(map(len, expanded.values())) <= MOST_CODES:
                found[one["url"]] = expanded
    return found


def expand(value_set: Json, systems: dict[str, Json]) -> dict[str, list[str]] | None:
    """Give codes by system, or nothing when it takes more than a list to tell them."""
    compose = value_set.get("compose", {})
    found: dict[str, list[str]] = {}
    if "exclude" in compose:
        return None
    for include in compose.get("include", ()):
        system = systems.get(include.get("system", ""))
        if "filter" in include or "valueSet" in include:
            return None
        if "concept" in include:
            codes = [concept["code"] for concept in include["concept"]]
        elif system and system["content"] == "complete":
            codes = list(codes_of(system.get("concept", ())))
        else:
            return None
        found.setdefault(include["system"], []).extend(codes)
    return found


def codes_of(concepts: Iterable[Json]) -> Iterator[str]:
    """Give the codes of a code system with those below them."""
    for concept in concepts:
        yield concept["code"]
        yield from codes_of(concept.get("concept", ()))


def rendered(content: Json) -> str:
    """Lay out one line a member, and one an element."""
    parts = []
    for key, value in content.items():
        text = json.dumps(value, ensure_ascii=False)
        if key == "elements":
            rows = ",\n".join(json.dumps(row, ensure_ascii=False) for row in value)
            text = f"[\n{rows}\n]"
        parts.append(f"{json.dumps(key)}: {text}")
    body = ",\n".join(parts)
    return f"{{{body}}}\n"


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]) if len(sys.argv) > 2 else TARGET)
