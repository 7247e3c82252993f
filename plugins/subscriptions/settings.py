"""What a deployer says about subscriptions."""

from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from fyr.config.section import Section
from fyr.core import PluginSettings
from fyr.core.hosts import is_loopback

ChannelName = Literal["rest-hook", "websocket", "email", "message", "mqtt"]
Interaction = Literal["create", "update", "delete"]
Outcome = Literal["", "test-passes", "test-fails"]


class TopicSettings(Section):
    """``[[plugin.subscriptions.topics]]``: a SubscriptionTopic that this deployment has."""

    url: str = Field(pattern=r"^\S+$", description="Canonical URL.")
    resource: str = Field(description="Type of resource that it tells of.")
    title: str = Field("", description="For people.")
    version: str = Field(
        "", description="Business version, by which `[url]|[version]` asks for it."
    )
    interactions: list[Interaction] = Field(
        ["create", "update"], description="What happens to the resource."
    )
    previous: str = Field("", description="Criteria that the version before meets.")
    result_for_create: Outcome = Field(
        "", description="What `previous` is for a new resource."
    )
    current: str = Field("", description="Criteria that the new version meets.")
    result_for_delete: Outcome = Field(
        "", description="What `current` is for a deleted resource."
    )
    require_both: bool = Field(False, description="Both are met, not one of them.")
    filters: list[str] | None = Field(
        None, description="Parameters that may filter; unset: all."
    )


class SubscriptionsSettings(PluginSettings):
    """``[plugin.subscriptions]``."""

    channels: list[ChannelName] = Field(
        ["rest-hook", "websocket", "message"],
        description="Channels that subscriptions may name; `email` needs `smtp_url`.",
    )
    full_resource: list[ChannelName] = Field(
        ["rest-hook", "websocket", "message"],
        description="Channels that may carry resources, not only their ids.",
    )
    most: int = Field(
        1000, ge=1, description="Subscriptions of one system that are not off."
    )
    error_after: int = Field(
        3, ge=1, description="Failures in a row after which the status is `error`."
    )
    off_after: int = Field(
        100, ge=2, description="Failures in a row after which the status is `off`."
    )
    tend_seconds: float = Field(
        5.0, gt=0, description="How often ends and heartbeats are looked after."
    )
    rights_days: float = Field(
        30.0,
        ge=0,
        description=(
            "Days after which a subscription is turned off whose owner was not here with"
            " all the rights that it wrote it with; 0: never."
        ),
    )
    keep_days: float = Field(
        7.0, gt=0, description="How long events are kept for `$events`."
    )
    token_seconds: int = Field(
        60, ge=5, description="How long a token for websockets can be used to bind."
    )
    mqtt_topic: str = Field(
        "fyr/subscriptions/{name}",
        pattern=r"^[^+#]*\{name\}[^+#]*$",
        description="MQTT topic of a subscription; `{name}` is its id.",
    )
    smtp_url: str = Field(
        "",
        pattern=r"^((smtp|smtps|smtp\+starttls)://[^\s/]+)?$",
        description="`smtp://HOST:PORT`, `smtp+starttls://...` or `smtps://...`.",
    )
    smtp_user: str = Field(
        "",
        description=(
            "User of the mail server; only with TLS, or a mail server on this machine."
        ),
    )
    smtp_password: SecretStr | None = Field(None, description="Password of that user.")
    smtp_password_file: Path | None = Field(
        None, description="File that holds the password."
    )
    smtp_tls_ca: Path | None = Field(
        None,
        description="Certificates that vouch for it; none: those of `outgoing.tls_ca`.",
    )
    email_from: str = Field("", description="Sender of mails.")
    email_domains: list[str] = Field(
        [], description="Domains that mails may go to; none: nowhere."
    )
    topics: list[TopicSettings] = Field(
        [], description="Topics; those kept as Basic resources come beside them."
    )

    @field_validator("smtp_url")
    @classmethod
    def _has_a_port(cls, url: str) -> str:
        # Raises ValueError for a port that there is not.
        _ = urlsplit(url).port
        return url

    @model_validator(mode="after")
    def _tells_its_password_to_nobody(self) -> Self:
        where = urlsplit(self.smtp_url)
        open_ = where.scheme == "smtp" and not is_loopback(where.hostname or "")
        if open_ and self.smtp_user:
            raise ValueError(
                "smtp_user: a password goes over TLS only: smtps://... or"
                " smtp+starttls://..."
            )
        return self
