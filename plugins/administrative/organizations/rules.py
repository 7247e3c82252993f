"""What holds for organizations that clients write: those of registers are not theirs."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from fyr.core import Issue
from fyr.core.searching import escaped
from fyr.plugins.administrative.codes import CODES
from fyr.plugins.administrative.extensions import SOURCE, codes_of, value_of
from fyr.plugins.administrative.parts import is_held_at

if TYPE_CHECKING:
    from fyr.core import Acting, Resource
    from fyr.plugins.administrative.parts import Write


MANUAL = "manual"
#: Identifier system of numbers in the business register.
CVR = "urn:oid:2.16.840.1.113883.2.24.1.1"
#: Identifier system of those who take part in logistics.
SSL = "http://ehealth.sundhed.dk/organization/ssl"
_PLACE = "Organization.identifier"
_SERVICE = "organization"


def is_held(write: Write) -> bool:
    """Whether the rules of this service hold for a write."""
    return is_held_at(write, _SERVICE)


def of_organization(write: Write) -> Iterator[Issue]:
    """Tell what stands in the way of an organization."""
    if not is_held(write):
        return
    sources = set(map(_source, filter(None, (write.old, write.new)))) - {""}
    if not sources:
        return
    if sources != {MANUAL}:
        code = CODES["ORGANIZATION_SOURCE_MUST_BE_MANUAL"]
        yield code.issue(expression=("Organization.extension",))
        return
    yield from _identifiers(write)


def _source(organization: Resource) -> str:
    return next(iter(sorted(codes_of(value_of(organization, SOURCE)))), "")


def _identifiers(write: Write) -> Iterator[Issue]:
    given = write.new.get("identifier", [])
    for position, one in enumerate(given):
        if one.get("system") not in (CVR, SSL):
            code = CODES["ORGANIZATION_IDENTIFIER_SYSTEM_NOT_ALLOWED_FOR_SOURCE_MANUAL"]
            yield code.issue(expression=(f"{_PLACE}[{position}].system",))
    if not any(one.get("system") == CVR and one.get("value") for one in given):
        code = CODES[
            "ORGANIZATION_IDENTIFIER_MUST_CONTAIN_AT_LEAST_CVR_FOR_SOURCE_MANUAL"
        ]
        yield code.issue(expression=(_PLACE,))
    # Units share the CVR number of their business; only the other one is their own.
    own = [one.get("value", "") for one in given if one.get("system") == SSL]
    for value in own:
        others = partial(
            _others, identifier=f"{SSL}|{escaped(value)}", own=write.new["id"]
        )
        if write.room.application.act_within(write.session, others):
            code = CODES["ORGANIZATION_IDENTIFIER_NOT_UNIQUE"]
            yield code.issue(value, expression=(_PLACE,))


def _others(acting: Acting, identifier: str, own: str) -> bool:
    acting.claim(f"Organization {identifier}")
    found = acting.find("Organization", ("identifier", identifier))
    return any(one["id"] != own for one in found)
