"""Value sets, code systems, and Observations with codes."""

from typing import Any

Resource = dict[str, Any]
A, B = "http://a", "http://b"


def value_set(identity: str, *include: Resource, **more: Any) -> Resource:
    return {
        "resourceType": "ValueSet",
        "id": identity,
        "url": f"http://sets/{identity}",
        "status": "active",
        **({"compose": {"include": list(include)}} if include else {}),
        **more,
    }


def code_system(identity: str, url: str, *concepts: Resource, **more: Any) -> Resource:
    return {
        "resourceType": "CodeSystem",
        "id": identity,
        "url": url,
        "status": "active",
        "content": "complete",
        "concept": list(concepts),
        **more,
    }


def some(system: str, *codes: str) -> Resource:
    return {"system": system, "concept": [{"code": code} for code in codes]}


def sets(*names: str) -> Resource:
    return {"valueSet": [f"http://sets/{name}" for name in names]}


def filtered(system: str, *filters: tuple[str, str, str]) -> Resource:
    listed = [{"property": p, "op": o, "value": v} for p, o, v in filters]
    return {"system": system, "filter": listed}


IS_A_1 = ("concept", "is-a", "1")
