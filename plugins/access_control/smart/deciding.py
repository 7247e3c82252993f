"""Decides by the SMART scopes of the token instead of by the table.

``patient/`` reaches what is in the compartment of the token's patient, ``user/`` what the
service has (for a citizen: the same as ``patient/``), ``system/`` the same for systems.
Scopes say nothing of operations, nor of searches over all types: those are for tokens
that may do everything (``*.cruds``), but for exports, which are searches.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from fyr.core import Forbidden, Invalid, NotSupported, Subject
from fyr.plugins.access_control.decisions.caller import Caller, Callers, Own, is_free
from fyr.plugins.access_control.decisions.contexts import CODES
from fyr.plugins.access_control.smart import messages
from fyr.plugins.access_control.smart.compartment import COMMON, belongs
from fyr.plugins.access_control.smart.scopes import (
    LETTERS,
    SmartScope,
    smart_scopes,
)
from fyr.search.understanding.compartments import compartment

if TYPE_CHECKING:
    from fyr.core import (
        FyrError,
        Look,
        Principal,
        RequestContext,
        Resource,
        SearchAsked,
        Use,
    )

Pairs = list[tuple[str, str]]

_OPEN = frozenset({"capabilities", "batch", "transaction"})
#: Operations that show what searches find, each of which is judged; systems export by
#: ``system/Patient.rs``: https://hl7.org/fhir/uv/bulkdata/STU2/authorization.html.
_SEARCHING = frozenset({"export"})
#: What a use is judged as, where it is not the interaction.
_AS = {
    "read": "read",
    "vread": "vread",
    "history": "history-instance",
    "include": "read",
    "result": "read",
    "delete": "delete",
}
#: A patient of this deployment, as contexts name it.
_PATIENT = re.compile(r"Patient/[A-Za-z0-9.\-]{1,64}")
_USERS = {"SYSTEM": ("system",), "PATIENT": ("patient", "user")}


class SmartDecisions:
    """Who may do what by the scopes of tokens, on one deployment."""

    def __init__(self, own: Own) -> None:
        """Take what knows this deployment's URLs."""
        self.callers = Callers(own)
        self._scopes: WeakKeyDictionary[Principal, tuple[SmartScope, ...]]
        self._scopes = WeakKeyDictionary()

    def authorize(self, context: RequestContext) -> None:
        """Refuse an interaction that no scope speaks of.

        :raises Forbidden: it does.
        """
        if is_free(context) or context.interaction in _OPEN:
            return
        if context.route is not None and context.route.own_rules:
            return
        if context.interaction == "operation" and context.operation in _SEARCHING:
            self._require_search(context)
        elif context.resource_type is None or context.interaction not in LETTERS:
            self._require_everything(context)
        else:
            self._allowing(context, context.resource_type, context.interaction)

    def explain(self, context: RequestContext) -> Iterator[str]:
        """Tell which scope an interaction asks for."""
        letter = LETTERS.get(context.interaction)
        if letter is not None:
            yield f"a scope of {context.resource_type}.{letter}"

    def narrow(
        self, context: RequestContext, resource_type: str | None, params: Pairs
    ) -> Pairs | None:
        """Keep a search inside of the launch patient's compartment, and of scopes."""
        if is_free(context) or resource_type is None:
            return None
        scopes = self._sought_by(
            context,
            resource_type,
            params,
            self._allowing(context, resource_type, "search-type"),
        )
        kept_back: Pairs = []
        if all(self._of_patient(context, one) for one in scopes):
            self._limit(context, resource_type)
            if resource_type == messages.TYPE:
                patient = self.callers.of(context).patient
                kept_back = messages.keeping_back(context, patient)
        if any(one.query for one in scopes):
            # A lenient search would leave out what cannot be searched by at the moment.
            context.handling = "strict"
        needed = [*_joined(scopes, params), *kept_back]
        # A link to the next page has it already.
        more = [one for one in needed if one not in params]
        return [*params, *more] if more else None

    def authorize_search(
        self, context: RequestContext, asked: SearchAsked, look: Look
    ) -> None:
        """Refuse criteria on types that may not be searched, or not all of them.

        :raises Forbidden: it does.
        """
        if is_free(context):
            return
        for kind in asked.types:
            self._allowing(context, kind, "search-type")
        for kind, name in sorted(asked.beyond):
            scopes = self._allowing(context, kind, "search-type")
            if all(one.query or self._of_patient(context, one) for one in scopes):
                raise CODES["SECURITY_SEARCH_PARAM_NOT_MATCHING_TOKEN_CONTEXT"].error(
                    f"{kind}.{name}"
                )

    def authorize_resource(
        self, context: RequestContext, subject: Subject, use: Use, look: Look
    ) -> None:
        """Refuse what is not the launch patient's, or not what a scope is limited to.

        :raises Forbidden: it lies outside.
        """
        if is_free(context):
            return
        interaction = _AS.get(use) or context.interaction
        if interaction not in LETTERS:
            interaction = "update"
        scopes = self._allowing(context, subject.type, interaction)
        if not any(
            self._covers(context, one, subject, use, look)
            for one in sorted(scopes, key=lambda scope: scope.query)
        ):
            raise CODES["SECURITY_RESOURCE_NOT_MATCHING_TOKEN_CONTEXT"].error(
                "it is not the patient's, or not what the scope is limited to"
            )

    def claim(self, context: RequestContext, binary: Resource) -> None:
        """A Binary says itself whose it is, by its security context."""

    def _covers(
        self,
        context: RequestContext,
        scope: SmartScope,
        subject: Subject,
        use: Use,
        look: Look,
    ) -> bool:
        if self._of_patient(context, scope):
            shared = subject.type in COMMON and use not in ("old", "new", "delete")
            patient = self.callers.of(context).patient
            if not shared and not belongs(subject, use, patient, look):
                return False
            if use != "new" and messages.is_kept_back(subject, patient):
                return False
        if not scope.query:
            return True
        # The index knows the newest version, which is judged beside an old one.
        criteria = dict(scope.query)
        named = criteria.pop("_id", subject.id).split(",")
        if len(dict(scope.query)) < len(scope.query) or subject.id not in named:
            return False
        try:
            return bool(look.search(subject.type, _id=subject.id, **criteria))
        except (Invalid, NotSupported):
            # The scope is wrong, not the request: it allows nothing.
            return False

    def _sought_by(
        self,
        context: RequestContext,
        kind: str,
        params: Pairs,
        scopes: Sequence[SmartScope],
    ) -> Sequence[SmartScope]:
        """Give those of some scopes that a search is of: all of one reach.

        What lies in the compartment cannot be asked for together with what need not.

        :raises Forbidden: the search does not tell which of both it is of.
        """
        mine = [one for one in scopes if self._of_patient(context, one)]
        beyond = [one for one in scopes if not self._of_patient(context, one)]
        if not mine or not beyond:
            return scopes
        if any(set(one.query) <= set(params) for one in beyond):
            return beyond
        names = compartment("Patient").types.get(kind)
        if names is None:
            return beyond
        patient = self.callers.of(context).patient
        if context.compartment is not None:
            own = "/".join(context.compartment) == patient
            return mine if own else beyond
        if _names_patient(kind, names, params, patient):
            return mine
        by = "_id" if kind == "Patient" else "patient"
        raise _mandatory(beyond, f"{by}={patient}")

    def _limit(self, context: RequestContext, kind: str) -> None:
        """Have a search look into the compartment alone."""
        patient = self.callers.of(context).patient
        if kind not in compartment("Patient").types:
            raise CODES["SECURITY_SEARCH_PARAM_NOT_MATCHING_TOKEN_CONTEXT"].error(
                f"{kind} is in no patient's compartment"
            )
        mine = ("Patient", patient.removeprefix("Patient/"))
        if context.compartment not in (None, mine):
            raise CODES["SECURITY_SEARCH_PARAM_NOT_MATCHING_TOKEN_CONTEXT"].error(
                "the compartment"
            )
        context.compartment = mine

    def _allowing(
        self, context: RequestContext, kind: str, interaction: str
    ) -> Sequence[SmartScope]:
        """Give the scopes that speak of an interaction on a type.

        :raises Forbidden: none does.
        """
        caller = self.callers.of(context)
        # Something else may mean more than one, or no patient, in a search.
        launched = _PATIENT.fullmatch(caller.patient) is not None
        found = [
            one
            for one in self._all(context, caller)
            if one.allows(kind, interaction)
            and (launched or not self._of_patient(context, one))
        ]
        if not found:
            raise _insufficient(kind, interaction)
        return found

    def _all(self, context: RequestContext, caller: Caller) -> Iterable[SmartScope]:
        """Give the scopes whose level is one for this kind of user."""
        principal = context.principal
        known = self._scopes.get(principal)
        if known is None:
            levels = _USERS.get(caller.type, ("patient", "user"))
            known = tuple(
                one for one in smart_scopes(principal.scopes) if one.level in levels
            )
            self._scopes[principal] = known
        return known

    def _of_patient(self, context: RequestContext, scope: SmartScope) -> bool:
        """Whether a scope reaches no further than the token's patient."""
        return scope.level == "patient" or context.principal.user_type == "PATIENT"

    def _require_search(self, context: RequestContext) -> None:
        """Refuse who may search no type beyond one patient's compartment."""
        caller = self.callers.of(context)
        for one in self._all(context, caller):
            if "s" in one.letters and not self._of_patient(context, one):
                return
        raise _insufficient(context.resource_type or "*", "search-type")

    def _require_everything(self, context: RequestContext) -> None:
        caller = self.callers.of(context)
        everything = set("cruds")
        for one in self._all(context, caller):
            whole = one.resource_type == "*" and not one.query
            if (
                whole
                and one.letters >= everything
                and not self._of_patient(context, one)
            ):
                return
        name = context.operation or context.interaction
        raise _insufficient(context.resource_type or "*", name)


def _joined(scopes: Sequence[SmartScope], params: Pairs) -> Pairs:
    """Tell the parameters that keep a search to what one of some scopes is limited to.

    :raises Forbidden: no parameters can say so; the client has to name those of one.
    """
    if any(not one.query or set(one.query) <= set(params) for one in scopes):
        return []
    if len(scopes) == 1:
        return list(scopes[0].query)
    names = {name for one in scopes for name, _ in one.query}
    if len(names) == 1 and all(len(one.query) == 1 for one in scopes):
        return [(names.pop(), ",".join(sorted(one.query[0][1] for one in scopes)))]
    raise _mandatory(scopes)


def _names_patient(
    kind: str, names: Iterable[str], params: Pairs, patient: str
) -> bool:
    """Whether a search asks for what is a patient's (``Patient/1``)."""
    by = {*names, "patient", *(["_id"] if kind == "Patient" else ())}
    identity = patient.removeprefix("Patient/")
    return any(
        name.removesuffix(":Patient") in by and value.rpartition("/")[2] == identity
        for name, value in params
    )


def _mandatory(scopes: Sequence[SmartScope], *more: str) -> FyrError:
    """Make the refusal of a search that names the criteria of none of some scopes."""
    limits = ["&".join(map("=".join, one.query)) for one in scopes]
    return CODES["SECURITY_SEARCH_PARAMS_MANDATORY"].error(
        " or ".join([*limits, *more])
    )


def _insufficient(kind: str, interaction: str) -> FyrError:
    error = CODES["SECURITY_TOKEN_INSUFFICIENT_PERMISSION"].error(interaction, kind)
    letter = LETTERS.get(interaction)
    if isinstance(error, Forbidden):
        wanted = f', scope="user/{kind}.{letter}"' if letter else ""
        # https://www.rfc-editor.org/rfc/rfc6750#section-3.1
        error.headers["WWW-Authenticate"] = (
            f'Bearer realm="fyr", error="insufficient_scope"{wanted}'
        )
    return error
