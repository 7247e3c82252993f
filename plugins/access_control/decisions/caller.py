"""A principal as decisions see it: privileges, and contexts in the form of references."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fyr.core import Principal, RequestContext, Service

#: Gives the relative form of a URL of this deployment; ``None`` for a stranger's.
Own = Callable[[str, "Service", str], str | None]

#: Callers that are kept; then all are forgotten, and made again as they come.
_MOST_KNOWN = 4096


class Caller:
    """What is compared of a principal; contexts relative (``Patient/1``), or empty."""

    __slots__ = (
        "_all_of",
        "asked",
        "care_team",
        "episode",
        "organization",
        "passed",
        "patient",
        "privileges",
        "tags",
        "type",
        "user",
    )

    def __init__(self, principal: Principal, relative: Callable[[str], str]) -> None:
        """Take the principal, and what makes its URLs relative."""
        context = principal.context
        self.type = principal.user_type
        self.privileges = principal.privileges
        # ``Patient.*`` stands for all that begins so.
        self._all_of = {one[:-1] for one in principal.privileges if one.endswith(".*")}
        self.user = relative(principal.user_id)
        self.episode = relative(context.get("episode_of_care", ""))
        self.patient = relative(context.get("patient", ""))
        self.care_team = relative(context.get("care_team", ""))
        self.organization = relative(context.get("organization", ""))
        self.tags = principal.tags
        #: type and interaction that the token alone was found to be enough for: the
        #: table does not change, nor what a token says
        self.passed: set[tuple[str | None, str]] = set()
        #: type -> what is asked of a resource of it that the caller reads, for the same
        #: reason
        self.asked: dict[str, Sequence[Callable[[Any], None]]] = {}

    def holds(self, privileges: Iterable[str]) -> bool:
        """Whether the principal has one of some privileges."""
        for one in privileges:
            if one in self.privileges:
                return True
            if self._all_of and one[: one.find(".") + 1] in self._all_of:
                return True
        return False


class Callers:
    """Knows the callers of principals; those of one base URL are made once.

    Kept by the identity of the principal, which whoever authenticates gives again for
    the same credentials: to compare principals would cost more than the decision.
    """

    def __init__(self, own: Own) -> None:
        """Take what knows the URLs of this deployment."""
        self._own = own
        self._known: dict[tuple[int, str, str], tuple[Principal, Caller]] = {}
        #: who asked last: a read asks for its caller twice
        self._last: tuple[Principal | None, Service | None, str, Caller | None]
        self._last = (None, None, "", None)

    def asking(self, context: RequestContext) -> Caller | None:
        """Give the caller of a request; ``None``: it is free, and nothing is asked of it.

        Each read passes here twice.
        """
        principal, service, base_url = (
            context.principal,
            context.service,
            context.base_url,
        )
        # Kept with the principal, whose identity nobody else can have meanwhile.
        whose, where, base, caller = self._last
        if whose is principal and where is service and base == base_url:
            return caller
        known = self._known.get((id(principal), service.name, base_url))
        if known is None or known[0] is not principal:
            return None if is_free(context) else self._made(context)
        self._last = (principal, service, base_url, known[1])
        return known[1]

    def of(self, context: RequestContext) -> Caller:
        """Give the caller of a request that is not free."""
        return self.asking(context) or self._made(context)

    def _made(self, context: RequestContext) -> Caller:
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        principal, service, base_url = (
            context.principal,
            context.service,
            context.base_url,
        )
        caller = Caller(principal, lambda url: self._own(url, service, base_url) or url)
        if not is_free(context):
            self._known[id(principal), service.name, base_url] = (principal, caller)
        return caller


def is_free(context: RequestContext) -> bool:
    """Whether it is Fyr itself that asks, or anybody at a server in open mode."""
    return context.principal.unrestricted
