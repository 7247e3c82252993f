"""``EpisodeOfCare/$is-context-allowed``: whether an episode may be a token's context.

Asked before a token is made: a citizen chooses among their own episodes of care, a
practitioner among those that the care team has a part in.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from fyr.core import Operation, OperationCall, OperationParameter
from fyr.plugins.clinical.codes import CODES
from fyr.plugins.clinical.references import asked, elements, own

if TYPE_CHECKING:
    from fyr.core import FyrError, Resource


def operations() -> Iterator[Operation]:
    """Offer ``$is-context-allowed``."""
    yield Operation(
        "is-context-allowed",
        is_allowed,
        frozenset({"instance"}),
        frozenset({"EpisodeOfCare"}),
        documentation=(
            "Tells by what a patient or a care team may choose this EpisodeOfCare as the"
            " context of a token; is refused otherwise."
        ),
        parameters=(
            OperationParameter("patient", "Reference"),
            OperationParameter("careTeam", "Reference"),
            OperationParameter("return", "Parameters", use="out", min=1),
        ),
    )


def is_allowed(call: OperationCall) -> Resource:
    """Tell what links the patient or the care team to the episode of care.

    :raises fyr.core.errors.FyrError: nothing does.
    """
    episode = f"EpisodeOfCare/{call.resource_id}"
    # Unguarded, as a token with this context is not there yet: what is answered is what
    # the caller has said, and that it fits.
    found = call.acting().read(episode)
    patient, team = asked(call, "patient"), asked(call, "careTeam")
    if found is None or not (patient or team) or _asks_of_others(call, patient, team):
        raise _no_match()
    links: dict[str, str] = {}
    if patient:
        if patient not in elements(found, "patient"):
            raise _no_match()
        links["Patient"] = patient
    if team:
        links |= {"CareTeam": team, **_of_team(call, found, episode, team)}
    return {
        "resourceType": "Parameters",
        "parameter": [
            {"name": name, "valueReference": {"reference": one}}
            for name, one in links.items()
        ],
    }


def _asks_of_others(call: OperationCall, patient: str | None, team: str | None) -> bool:
    """Whether a citizen asks about somebody else, or about a care team."""
    principal = call.context.principal
    if principal.user_type != "PATIENT":
        return False
    mine = own(call, principal.context.get("patient", ""))
    return team is not None or patient != mine


def _of_team(
    call: OperationCall, episode: Resource, reference: str, team: str
) -> dict[str, str]:
    """Tell what has a team on it: the episode of care, or else one of its plans."""
    if team in elements(episode, "team"):
        return {"EpisodeOfCare": reference}
    criteria = (("episodeOfCare", reference), ("care-team", team))
    for plan in call.acting().find("CarePlan", *criteria):
        if plan.get("status") != "entered-in-error":
            return {"CarePlan": f"CarePlan/{plan['id']}"}
    raise _no_match()


def _no_match() -> FyrError:
    return CODES["EPISODEOFCARE_IS_CONTEXT_ALLOWED_MATCH_NOT_FOUND"].error()
