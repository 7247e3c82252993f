"""Whom messages may be sent to."""

import pytest
from pydantic import ValidationError

from fyr.config.outgoing import OutgoingSettings
from fyr.core.outgoing import ReachPolicy
from fyr.core.outgoing.policy import Unreachable


def policy(**options) -> ReachPolicy:
    return ReachPolicy(OutgoingSettings(**options))


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/",
        "https://localhost/",
        "https://10.0.0.1/",
        "https://192.168.1.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://100.64.0.1/",
        "https://0.0.0.0/",
        "https://255.255.255.255/",
        "https://224.0.0.1/",
        "https://[::1]/",
        "https://[::]/",
        "https://[fe80::1]/",
        "https://[fc00::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[2002:7f00:1::]/",
    ],
)
def test_an_address_inside_is_refused(url) -> None:
    assert "own network" in policy().problem(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://2130706433/",
        "https://0x7f000001/",
        "https://127.1/",
        "https://0177.0.0.1/",
        "https://intranet/",
        "https:///path",
        "https://user:pass@hooks.example.org/",
        "https://hooks.example.org\\@127.0.0.1/",
        "https://hooks%2eexample.org/",
        "https://hooks.example.org:99999/",
        "https://hooks.example.org/#here",
        "http://hooks.example.org/",
        "ftp://hooks.example.org/",
        "file:///etc/passwd",
        "hooks.example.org",
        "",
    ],
)
def test_what_is_no_address_outside_is_refused(url) -> None:
    assert policy().problem(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.org/",
        "https://hooks.example.org:8443/a?b=c",
        "https://8.8.8.8/",
        "https://[2606:4700:4700::1111]/",
    ],
)
def test_an_address_outside_is_taken(url) -> None:
    assert policy().problem(url) == ""


@pytest.mark.parametrize(
    ("allow", "url"),
    [
        ("loopback", "http://127.0.0.1:9000/"),
        ("loopback", "http://localhost:9000/"),
        ("loopback", "http://[::1]:9000/"),
        ("10.1.0.0/16", "http://10.1.2.3/"),
        ("hooks.internal", "http://hooks.internal/"),
        ("*.internal", "http://hooks.internal/"),
        ("intranet", "https://INTRANET./"),
    ],
)
def test_what_the_settings_allow_is_taken(allow, url) -> None:
    assert policy(allow=[allow]).problem(url) == ""


@pytest.mark.parametrize(
    "url", ["https://10.2.0.1/", "https://internal/", "https://xinternal.local/"]
)
def test_what_is_beside_what_is_allowed_is_refused(url) -> None:
    assert policy(allow=["10.1.0.0/16", "*.internal"]).problem(url) or url.endswith(
        "local/"
    )


def test_only_those_that_are_named_are_taken_where_some_are() -> None:
    only = policy(only=["*.example.org"])

    assert only.problem("https://hooks.example.org/") == ""
    assert "does not send there" in only.problem("https://hooks.example.com/")


def test_a_name_that_leads_inside_is_refused_when_it_is_looked_up() -> None:
    with pytest.raises(Unreachable):
        policy().addresses("localhost", 443)
    assert policy(allow=["loopback"]).addresses("localhost", 443)


@pytest.mark.parametrize("place", ["", "10.0.0.0/99", "http://x", "a b", "x@y"])
def test_a_place_that_is_none_is_refused_at_start(place) -> None:
    with pytest.raises(ValidationError):
        OutgoingSettings(allow=[place])
