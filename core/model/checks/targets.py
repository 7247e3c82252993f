"""Where a reference may lead: https://hl7.org/fhir/R4/references.html#literal.

Only what the reference itself tells is checked, not whether its target is there.
"""

import re

from fyr.core.model.checks.walk import Object, Walk
from fyr.core.model.definitions import RESOURCE_TYPES
from fyr.core.model.naming import did_you_mean, shown

_ID = r"[A-Za-z0-9\-.]{1,64}"
_LITERAL = re.compile(rf"(?:^|/)([A-Za-z]+)/{_ID}(?:/_history/{_ID})?$", re.ASCII)
_CONDITIONAL = re.compile(r"([A-Za-z]+)\?")


def check_target(value: Object, targets: frozenset[str], path: str, walk: Walk) -> None:
    """Tell when a reference leads to a type that is not allowed there."""
    reference = value.get("reference")
    kind = value.get("type")
    if type(reference) is str:
        if reference.startswith("#"):
            kind = _local_type(reference[1:], walk)
            if kind is None:
                text = f"nothing contained here has the id {shown(reference[1:])}"
                walk.add("value", text, f"{path}.reference")
        else:
            kind = _type_of(reference, path, walk) or kind
    if targets and type(kind) is str and kind in RESOURCE_TYPES and kind not in targets:
        allowed = ", ".join(sorted(targets))
        walk.add("value", f"must refer to {allowed}, found {kind}", path)


def _type_of(reference: str, path: str, walk: Walk) -> str | None:
    """Read the type in a reference; URLs of other servers may have another form."""
    match = _LITERAL.search(reference) or _CONDITIONAL.match(reference)
    if match is None:
        return None
    kind = match[1]
    if kind not in RESOURCE_TYPES:
        if match.start() == 0 and ":" not in reference:
            hint = did_you_mean(kind, RESOURCE_TYPES)
            text = f"{shown(kind)} is not a resource type of R4{hint}"
            walk.add("value", text, f"{path}.reference")
        return None
    return kind


def _local_type(name: str, walk: Walk) -> str | None:
    """Tell the type of a contained resource; ``#`` alone is what contains them."""
    if not name:
        return str(walk.root.get("resourceType"))
    if walk.local_types is None:
        contained = walk.root.get("contained")
        walk.local_types = {
            str(one.get("id")): str(one.get("resourceType"))
            for one in (contained if type(contained) is list else ())
            if type(one) is dict
        }
    return walk.local_types.get(name)
