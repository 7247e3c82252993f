"""What a deployer says of issuers, for the settings of the plugin that authenticates."""

from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from fyr.config.section import Section
from fyr.core.hosts import is_loopback

#: Signatures with a private key. One that needs a shared secret (HS256) has no place
#: here: whoever can check it can forge it.
Algorithm = Literal[
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
]
UserType = Literal["SYSTEM", "PRACTITIONER", "PATIENT", "SSL"]
USER_TYPES: frozenset[str] = frozenset({"SYSTEM", "PRACTITIONER", "PATIENT", "SSL"})


class ClaimNames(Section):
    """What the claims are called; a dot leads into an object."""

    user_type: str = Field("user_type", description="Kind of user.")
    user_types: dict[str, UserType] = Field(
        {}, description="Other values of that claim, and the user type each stands for."
    )
    missing_user_type: UserType | None = Field(
        None, description="User type of tokens without that claim; unset: 401."
    )
    user_id: str = Field(
        "user_id", description="Who it is; where it is missing `sub` counts."
    )
    privileges: str = Field("realm_access.roles", description="List of privileges.")
    context: str = Field("context", description="Object with what was chosen.")
    organization: str = Field("organization_id", description="In the context.")
    care_team: str = Field("care_team_id", description="In the context.")
    patient: str = Field("patient_id", description="In the context.")
    episode_of_care: str = Field("episode_of_care_id", description="In the context.")
    team_on_episode: str = Field("team_on_eoc", description="In the context.")
    name: str = Field("name", description="A person's name.")
    scope: str = Field("scope", description="Scopes, with spaces between them.")
    tag_system: str = Field(
        "http://ehealth.sundhed.dk/cs/ehealth-system",
        description="Scopes that are a code of it, after a bar, are coexistence tags.",
    )


class IssuerSettings(Section):
    """An OpenID provider, or one realm of it, whose tokens are taken."""

    issuer: str = Field(description="Exactly what its tokens have as `iss`.")
    realm: str = Field("", description="Short name; empty: the end of the URL.")
    audiences: list[str] = Field(
        min_length=1, description="Of these a token must name one as `aud`."
    )
    algorithms: list[Algorithm] = Field(
        ["RS256", "PS256", "ES256"], min_length=1, description="Signatures to take."
    )
    user_types: list[UserType] = Field(
        ["SYSTEM", "PRACTITIONER", "PATIENT", "SSL"],
        min_length=1,
        description="Kinds of users that it may vouch for; tokens of others are 401.",
    )
    clock_skew_seconds: float = Field(
        10.0, ge=0, le=300, description="How far its clock may be from ours."
    )
    discovery_url: str = Field(
        "", description="Empty: the issuer's `/.well-known/openid-configuration`."
    )
    jwks_url: str = Field("", description="Where its keys are; empty: discovered.")
    claims: ClaimNames = Field(ClaimNames(), description="What its claims are called.")

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        for name in ("issuer", "discovery_url", "jwks_url"):
            url = getattr(self, name)
            if url and not is_safe_url(url):
                raise ValueError(f"{name}: is to begin with https:// unless it is here")
        if not all(one.strip() for one in self.audiences):
            raise ValueError("audiences: an empty one is nobody's")
        return self

    @property
    def realm_name(self) -> str:
        """The name under which this issuer is told of."""
        return self.realm or self.issuer.rstrip("/").rpartition("/")[2]

    @property
    def discovery(self) -> str:
        """Where it tells about itself: OpenID Connect Discovery 1.0, section 4."""
        own = f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"
        return self.discovery_url or own


class TokenSettings(Section):
    """How tokens are checked, whoever issued them."""

    max_bytes: int = Field(16_384, ge=512, description="Longest token.")
    cached: int = Field(
        4096, ge=0, description="Tokens that a process remembers until they expire."
    )
    refresh_seconds: float = Field(
        300.0, gt=0, description="How often an issuer's keys are fetched."
    )
    unknown_key_seconds: float = Field(
        30.0,
        ge=0,
        description="Least time between fetches that an unknown key asks for.",
    )
    wait_seconds: float = Field(
        1.0, ge=0, le=10, description="Longest that a request waits for such a fetch."
    )
    fetch_seconds: float = Field(
        5.0, gt=0, le=60, description="Longest that a fetch may take."
    )


def is_safe_url(url: str) -> bool:
    """Whether what is fetched there cannot be altered on its way."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or parts.username is not None:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))
