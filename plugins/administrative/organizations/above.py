"""Organizations by where they stand: the SOR unit above one, the practice of a doctor.

``Organization/[id]/$traverse-to-sor`` and ``Organization/$get-general-practitioner-info``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from fyr.core import Operation, OperationParameter
from fyr.core.searching import escaped
from fyr.plugins.administrative.codes import CODES
from fyr.plugins.administrative.extensions import (
    PROVIDER_NUMBER,
    PROVIDERS,
    RELATED_TO,
    SOURCE,
    codes_of,
    extensions,
    value_of,
)

if TYPE_CHECKING:
    from fyr.core import Acting, OperationCall, Resource


_SOR = "SOR"
_RELATED = "related-to-SOR"
_FOUND = OperationParameter("return", "Organization", 0, "1", "out")


def traverse_to_sor() -> Operation:
    """Make the operation."""
    return Operation(
        "traverse-to-sor",
        _traverse,
        frozenset({"instance"}),
        frozenset({"Organization"}),
        documentation=(
            "Gives the first organization from SOR that is met from here upwards; this"
            " one, if it is from there. 404 if there is none."
        ),
        parameters=(_FOUND,),
    )


def general_practitioner() -> Operation:
    """Make the operation."""
    return Operation(
        "get-general-practitioner-info",
        _practice,
        frozenset({"type"}),
        frozenset({"Organization"}),
        documentation=(
            "Gives the organization with a provider number; where several share it, the"
            " one that they are all part of."
        ),
        parameters=(
            OperationParameter(
                "organization",
                "Reference",
                1,
                "*",
                documentation=f"Its identifier has the provider number ({PROVIDERS}).",
            ),
            _FOUND,
        ),
    )


def _traverse(call: OperationCall) -> Resource:
    call.subject()  # refuses whoever may not see where it begins
    acting = call.acting()
    for one in _upwards(acting, f"Organization/{call.resource_id}"):
        if _SOR in codes_of(value_of(one, SOURCE)):
            return one
    code = CODES["ORGANIZATION_TRAVERSE_TO_SOR_NOT_POSSIBLE"]
    raise code.error(f"Organization/{call.resource_id}")


def _upwards(acting: Acting, start: str) -> Iterator[Resource]:
    """Go up from an organization, itself first; what it is related to counts first."""
    now = acting.now.isoformat()
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        reference = waiting.pop(0)
        if reference in seen:
            continue
        seen.add(reference)
        one = acting.read(reference)
        if one is not None:
            yield one
            waiting += [*_related(one, now), *_parent(one)]


def _parent(organization: Resource) -> Iterator[str]:
    reference = organization.get("partOf", {}).get("reference", "")
    if reference.startswith("Organization/"):
        yield reference


def _related(organization: Resource, now: str) -> Iterator[str]:
    """Tell the SOR units that an organization is said to be, at present."""
    for one in extensions(organization, RELATED_TO):
        target = (value_of(one, "target") or {}).get("reference", "")
        period = value_of(one, "period") or {}
        over = period.get("end", now)[:10] < now[:10]
        kinds = codes_of(value_of(one, "relationType"))
        if _RELATED in kinds and target.startswith("Organization/") and not over:
            yield target


def _practice(call: OperationCall) -> Resource:
    number = _number(call.values("organization"))
    acting = call.acting()
    found = [
        one
        for one in acting.find(
            "Organization", ("providerIdentifier:exact", escaped(number))
        )
        if one.get("active", True) and value_of(one, PROVIDER_NUMBER) == number
    ]
    if not found:
        raise CODES["ORGANIZATION_NOT_FOUND"].error(number)
    if len(found) == 1:
        return found[0]
    parent = _in_common(acting, found)
    if parent is None:
        code = CODES["ORGANIZATION_NO_COMMON_PARENT_FOUND_PROVIDER_NUMBER"]
        raise code.error(number)
    return parent


def _number(references: Iterable[Resource]) -> str:
    """Tell the provider number that all references agree about."""
    given = [one.get("identifier", {}) for one in references]
    numbers = [one.get("value") for one in given if one.get("system") == PROVIDERS]
    known = sorted({str(one) for one in numbers if one})
    if not known:
        code = CODES["ORGANIZATION_REFERENCE_IDENTIFIER_MISSING_PROVIDER_NUMBER"]
        raise code.error(", ".join(str(one.get("value", "?")) for one in given))
    if len(known) > 1:
        code = CODES["ORGANIZATION_REFERENCE_IDENTIFIER_PROVIDER_NUMBER_NOT_UNIQUE"]
        raise code.error(", ".join(known))
    return known[0]


def _in_common(acting: Acting, organizations: list[Resource]) -> Resource | None:
    """Find the organization that all are part of, directly."""
    parents = {tuple(_parent(one)) for one in organizations}
    if len(parents) != 1:
        return None
    return next(filter(None, map(acting.read, parents.pop())), None)
