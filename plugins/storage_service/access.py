"""Who may read and write contents.

A content is judged as the DocumentReference that would point at it, by whoever decides on
resources: privileges, scopes and contexts are for them. Beside that, and without anybody
who decides: patient-specific material is for the context that it is kept for, a citizen
replaces what they have made, and general material is replaced by who works for the
organization that has made it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from fyr.core import Forbidden, Invalid, Principal, Refused, RequestContext, Service
from fyr.plugins.storage_service.contents import Content, Maker, References

if TYPE_CHECKING:
    from fyr.core import Application, Use

_REFERENCE = r"https?://[^\s?#]+/{kind}/[A-Za-z0-9\-.]{{1,64}}"
_EPISODE = re.compile(_REFERENCE.format(kind="EpisodeOfCare"), re.ASCII)
_PATIENT = re.compile(_REFERENCE.format(kind="Patient"), re.ASCII)
EPISODE, PATIENT = "episodeOfCareReference", "patientReference"
#: What contents are judged as, and by which rules.
_KIND = "DocumentReference"
_SERVICE = "storage"
#: interaction -> what becomes of the resource: there is no index that knows it
_USES: dict[str, Use] = {
    "read": "vread",
    "create": "new",
    "update": "old",
    "delete": "delete",
}


def references(params: Iterable[tuple[str, str]]) -> References:
    """Read the two parameters, of which both are given or none.

    :raises Invalid: one is missing, comes twice, or is no absolute reference.
    """
    given = list(params)
    found = dict(given)
    if len(found) != len(given) or found.keys() - {EPISODE, PATIENT}:
        raise Invalid(f"the parameters are {EPISODE} and {PATIENT}, each once")
    episode, patient = found.get(EPISODE, ""), found.get(PATIENT, "")
    if bool(episode) != bool(patient):
        raise Invalid(f"give both {EPISODE} and {PATIENT}, or none of them")
    for name, value, pattern, kind in (
        (EPISODE, episode, _EPISODE, "EpisodeOfCare"),
        (PATIENT, patient, _PATIENT, "Patient"),
    ):
        if value and not pattern.fullmatch(value):
            raise Invalid(f"{name} is to be an absolute URL that ends with {kind}/ID")
    return References(episode, patient)


def maker_of(principal: Principal) -> Maker:
    """Tell who makes a content, whatever token they have by then."""
    user = "\n".join((principal.issuer, principal.user_type, principal.user_id))
    return Maker(user, principal.context.get("organization", ""))


def require_system(principal: Principal) -> None:
    """Let pass other systems.

    :raises Forbidden: somebody else.
    """
    if principal.user_type != "SYSTEM":
        raise Forbidden("this is for systems")


class Access:
    """Decides on contents."""

    def __init__(self, application: Application) -> None:
        """Take where patients and episodes of care are, and who else decides."""
        self._application = application
        self._service = Service(_SERVICE, "", "Contents", {})

    def require_read(self, caller: RequestContext, content: Content) -> None:
        """Let pass who may read.

        :raises Forbidden: somebody who may not.
        """
        of = content.references
        _name(caller, of)
        self._require_context(caller, of)
        self._decide(caller, "read", of, content.id)

    def require_create(self, caller: RequestContext, of: References) -> None:
        """Let pass who may write for a patient, or for everybody.

        :raises Forbidden: somebody who may not.
        :raises Refused: there is no such episode of care of the patient here.
        """
        _name(caller, of)
        principal = caller.principal
        if of.general and not _makes_general(principal):
            raise Forbidden("general material is written in an organization's context")
        self._require_context(caller, of)
        self._decide(caller, "create", of, "new")
        if not of.general:
            self._require_there(caller, of)

    def require_update(self, caller: RequestContext, content: Content) -> None:
        """Let pass who may replace a content.

        :raises Forbidden: somebody who may not.
        """
        of, principal = content.references, caller.principal
        _name(caller, of)
        self._require_context(caller, of)
        me = maker_of(principal)
        if principal.user_type == "SYSTEM":
            pass
        elif of.general:
            same = me.organization == content.maker.organization
            if not (_makes_general(principal) and same):
                raise Forbidden("general material is replaced by who has made it")
        elif principal.user_type != "PRACTITIONER" and me.user != content.maker.user:
            raise Forbidden("citizens replace what they have made themselves")
        self._decide(caller, "update", of, content.id)

    def require_delete(self, caller: RequestContext, content: Content) -> None:
        """Let pass systems that may remove a content.

        :raises Forbidden: somebody who may not.
        """
        _name(caller, content.references)
        require_system(caller.principal)
        self._decide(caller, "delete", content.references, content.id)

    def require_metadata(self, caller: RequestContext, content: Content) -> None:
        """Let pass systems that may look behind a content.

        :raises Forbidden: somebody who may not.
        """
        require_system(caller.principal)
        self.require_read(caller, content)

    def _require_context(self, caller: RequestContext, of: References) -> None:
        principal = caller.principal
        if of.general or principal.user_type == "SYSTEM":
            return
        context = principal.context
        pairs = (("episode_of_care", of.episode), ("patient", of.patient))
        if not any(
            self._relative(caller, context.get(key, "")) == self._relative(caller, url)
            for key, url in pairs
        ):
            raise Forbidden(
                "the content is kept for another context than that of the token"
            )

    def _decide(
        self, caller: RequestContext, interaction: str, of: References, content_id: str
    ) -> None:
        context = RequestContext(
            self._service,
            interaction,
            _KIND,
            content_id,
            authorization=caller.authorization,
            principal=caller.principal,
            trace_id=caller.trace_id,
            base_url=caller.base_url,
            now=caller.now,
            method=caller.method,
            remote=caller.remote,
        )
        document: dict[str, Any] = {"resourceType": _KIND, "id": content_id}
        if not of.general:
            episode = {"reference": self._relative(caller, of.episode)}
            document["subject"] = {"reference": self._relative(caller, of.patient)}
            document["context"] = {"encounter": [episode]}
        self._application.decide(context, document, _USES[interaction])

    def _require_there(self, caller: RequestContext, of: References) -> None:
        """Refuse an episode of care that is not kept here, or is another patient's.

        :raises Refused: one of both; which, nobody is told.
        """
        kind, _, identity = self._relative(caller, of.episode).partition("/")
        found = None
        if kind == "EpisodeOfCare":
            found = self._application.resources.parsed(kind, identity)
        patient = (found or {}).get("patient", {}).get("reference", "")
        if not patient or patient.partition("/_history/")[0] != self._relative(
            caller, of.patient
        ):
            raise Refused(
                f"{EPISODE} is no episode of care here of the patient in {PATIENT}"
            )

    def _relative(self, caller: RequestContext, url: str) -> str:
        services = self._application.services
        return services.own(url, self._service, caller.base_url) or url


def _name(caller: RequestContext, of: References) -> None:
    """Tell the audit log whose data it is."""
    if not of.general:
        caller.patients = (of.patient,)


def _makes_general(principal: Principal) -> bool:
    works = principal.user_type == "PRACTITIONER"
    return principal.user_type == "SYSTEM" or (
        works and bool(principal.context.get("organization"))
    )
