"""Ready principals, and how a test's request says whose it is.

The test kit adds :class:`TestPrincipals` to each application that it makes. It believes
what the request says, so it is no plugin that a configuration could name.
"""

import base64
import json

from fyr.core.context import Principal, RequestContext
from fyr.core.errors import Unauthenticated
from fyr.core.hooks.markers import hookimpl
from fyr.core.hooks.plugin import Manifest, Plugin

_SCHEME = "FyrTest "
_SETS = ("privileges", "scopes", "tags")

#: Another system, as a machine-to-machine client.
SYSTEM_USER = Principal("SYSTEM", "test-system")
#: A nurse who works in a care team.
PRACTITIONER = Principal(
    "PRACTITIONER",
    "test-nurse",
    context={
        "organization": "https://organization.example.org/fhir/Organization/1",
        "care_team": "https://organization.example.org/fhir/CareTeam/1",
    },
)
#: A citizen who looks after their own data.
PATIENT = Principal(
    "PATIENT",
    "test-citizen",
    context={"patient": "https://patient.example.org/fhir/Patient/1"},
)


def authorization(principal: Principal) -> str:
    """Write a principal as the ``Authorization`` header that the test kit takes."""
    values = {
        "user_type": principal.user_type,
        "user_id": principal.user_id,
        "privileges": sorted(principal.privileges),
        "context": dict(principal.context),
        "scopes": sorted(principal.scopes),
        "name": principal.name,
        "client_id": principal.client_id,
        "issuer": principal.issuer,
        "realm": principal.realm,
        "tags": sorted(principal.tags),
        "team_on_episode": principal.team_on_episode,
    }
    return _SCHEME + base64.urlsafe_b64encode(json.dumps(values).encode()).decode()


class TestPrincipals(Plugin):
    """Takes each request for whom it says it is from; a request without is anonymous."""

    # pytest collects classes by this name.
    __test__ = False
    manifest = Manifest("Believes the test that sends a request.")

    @hookimpl(phase="early")
    def authenticate(self, context: RequestContext) -> Principal | None:
        """Read the header that :func:`authorization` wrote."""
        header = context.authorization or ""
        if not header.startswith(_SCHEME):
            return None
        try:
            values = json.loads(base64.urlsafe_b64decode(header.removeprefix(_SCHEME)))
            sets = {name: frozenset(values[name]) for name in _SETS}
            return Principal(**{**values, **sets})
        except (ValueError, KeyError, TypeError) as error:
            raise Unauthenticated(f"not a test's principal: {error}") from None
