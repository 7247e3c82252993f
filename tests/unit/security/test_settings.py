"""What a deployer may say of issuers."""

import pytest
from pydantic import ValidationError

from fyr.core.security.settings import IssuerSettings, is_safe_url
from fyr.plugins.access_control.settings import AccessControlSettings


def issuer(**more):
    own = {"issuer": "https://id.example.org/realms/a", "audiences": ["EHealth"]}
    return {**own, **more}


@pytest.mark.parametrize(
    "url",
    [
        "https://id.example.org",
        "http://127.0.0.1:8180",
        "http://localhost",
        "http://[::1]:1",
    ],
)
def test_what_cannot_be_altered_on_its_way_is_safe(url) -> None:
    assert is_safe_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://id.example.org",
        "http://localhost.example.org",
        "http://127.0.0.1@id.example.org",
        "https://user@id.example.org",
        "file:///etc/passwd",
        "https://",
        "https://x:y",
        "//id.example.org",
        "",
    ],
)
def test_anything_else_is_not(url) -> None:
    assert not is_safe_url(url)


@pytest.mark.parametrize(
    "wrong",
    [
        {"issuer": "http://id.example.org"},
        {"jwks_url": "http://id.example.org/certs"},
        {"discovery_url": "http://id.example.org"},
        {"audiences": []},
        {"algorithms": ["HS256"]},
        {"algorithms": ["none"]},
        {"algorithms": []},
        {"clock_skew_seconds": 3600},
    ],
)
def test_what_would_be_unsafe_is_refused_at_start(wrong) -> None:
    IssuerSettings(**issuer())
    with pytest.raises(ValidationError):
        IssuerSettings(**issuer(**wrong))


def test_two_issuers_are_told_apart() -> None:
    other = issuer(issuer="https://id.example.org/realms/b")
    AccessControlSettings(issuers=[issuer(), other])

    with pytest.raises(ValidationError, match="two have the issuer"):
        AccessControlSettings(issuers=[issuer(), issuer(realm="b")])
    with pytest.raises(ValidationError, match="two have the realm a "):
        AccessControlSettings(issuers=[issuer(), {**other, "realm": "a"}])


def test_two_realms_of_one_name_are_told_as_the_setting_is_called() -> None:
    same_end = [issuer(realm=""), issuer(issuer="https://other.example/a", realm="")]

    with pytest.raises(ValidationError) as refused:
        AccessControlSettings(issuers=same_end)

    told = str(refused.value)
    assert "two have the realm a (unset, it is the end of `issuer`)" in told
    assert "realm_name" not in told


def test_an_issuer_is_described_where_openid_connect_says() -> None:
    for url in ("https://id.example.org/realms/a", "https://id.example.org/realms/a/"):
        told = IssuerSettings(**issuer(issuer=url))

        assert told.realm_name == "a"
        assert told.discovery == (
            "https://id.example.org/realms/a/.well-known/openid-configuration"
        )
