"""Messages as those want them who get them: CommunicationRequests are asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from fyr.core.telling.communication_requests import steered
from fyr.plugins.clinical import extensions as ext
from fyr.plugins.clinical.references import elements
from fyr.plugins.clinical.tasks import terms

if TYPE_CHECKING:
    from fyr.core import Acting, Resource

#: A medium that somebody else has to carry a message by.
_CARRIED: Final = "nemsms"


def steered_all(
    acting: Acting, made: Iterable[Resource], *about: str
) -> list[Resource]:
    """Give what is to be stored, the messages among it as they are wanted.

    :param about: what the messages are about beside what they name themselves, such as
        the activity that was measured for.
    """
    return [one for resource in made for one in _wanted(acting, resource, about)]


def _wanted(
    acting: Acting, resource: Resource, about: tuple[str, ...]
) -> Iterator[Resource]:
    if resource["resourceType"] != "Communication":
        yield resource
        return
    team = ext.reference_of(resource, ext.MESSAGE_RECIPIENT_TEAM)
    recipient = team or next(elements(resource, "recipient"), "")
    wanted = steered(acting, resource, recipient, *about)
    if wanted is None:
        return
    media = {code for one in wanted.get("medium", ()) for code in terms.codes(one)}
    if _CARRIED in media:
        # It is sent once somebody has carried it.
        wanted = {**wanted, "status": "in-progress"}
        wanted.pop("sent", None)
    yield wanted
