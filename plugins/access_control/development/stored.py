"""What the resources that are stored here tell of contexts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fyr.core import RequestContext
from fyr.core.context import SYSTEM
from fyr.core.model import json

if TYPE_CHECKING:
    from fyr.core import Application, Session

#: More care teams than anybody takes part in.
_MOST = "200"


class Stored:
    """Reads resources by their URLs on this server; ``root`` is the server's own."""

    def __init__(self, application: Application) -> None:
        """Take where they are."""
        self._database = application.database
        self._resources = application.resources
        self._search = application.search
        self._services = application.services

    def refers_to(self, root: str, url: str, element: str) -> str | None:
        """Give the absolute URL that an element of a resource refers to."""
        found = self._read(root, url)
        told = found.get(element) if found else None
        first = told[0] if isinstance(told, list) and told else told
        reference = first.get("reference") if isinstance(first, Mapping) else None
        return self._absolute(root, reference) if reference else None

    def local(self, root: str, url: str) -> str:
        """Give the relative form of a URL of this server, of whichever service."""
        own = self._services.own(url, self._services.default, self._base(root))
        return own or url

    def teams_of(self, root: str, user: str) -> list[dict[str, Any]]:
        """Tell the active care teams in which a user takes part, in which roles."""
        local = self._services.own(user, self._services.default, self._base(root))
        if self._search is None or local is None:
            return []
        return [self._team(root, one, local) for one in self._found(root, local)]

    def _found(self, root: str, local: str) -> list[dict[str, Any]]:
        engine = self._search
        assert engine is not None
        asked = [("participant", local), ("status", "active"), ("_count", _MOST)]
        context = RequestContext(
            self._services.default,
            "search-type",
            "CareTeam",
            principal=SYSTEM,
            base_url=self._base(root),
        )

        def work(session: Session) -> list[bytes]:
            page = engine.search(session, context, "CareTeam", asked)
            return [one.body for one in page.matches if one.body is not None]

        return [json.parse(body) for body in self._database.read(work)]

    def _team(self, root: str, team: Mapping[str, Any], user: str) -> dict[str, Any]:
        url = self._absolute(root, f"CareTeam/{team['id']}")
        roles = {
            coding["code"]
            for one in team.get("participant", [])
            if one.get("member", {}).get("reference") == user
            for role in one.get("role", [])
            for coding in role.get("coding", [])
            if "code" in coding
        }
        told = {"id": url, "name": team.get("name", ""), "roles": sorted(roles)}
        organization = self.refers_to(root, url, "managingOrganization")
        if organization is None:
            return told
        found = self._read(root, organization) or {}
        named = {"id": organization, "name": found.get("name", "")}
        return {**told, "affiliation": named}

    def _read(self, root: str, url: str) -> dict[str, Any] | None:
        local = self._services.own(url, self._services.default, self._base(root))
        if local is None:
            return None
        found = self._resources.read(*local.split("/")[:2])
        if found is None or found.body is None:
            return None
        return json.parse(found.body)

    def _absolute(self, root: str, reference: str) -> str:
        if "://" in reference:
            return reference
        kind = reference.partition("/")[0]
        base = self._services.home_of(kind, root)
        return f"{base}/{reference}" if base else reference

    def _base(self, root: str) -> str:
        return f"{root}/{self._services.default.path}"
