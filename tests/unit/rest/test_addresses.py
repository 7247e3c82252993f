"""Which address is the client's, behind proxies and behind those who say they are."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fyr.core.rest.addresses import Addresses

ADDRESSES = Addresses([ip_network("10.0.0.0/8"), ip_network("fd00::/8")])


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("198.51.100.7", None, "198.51.100.7"),
        ("198.51.100.7", "203.0.113.1", "198.51.100.7"),
        ("10.0.0.1", None, "10.0.0.1"),
        ("10.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "203.0.113.1, 198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "203.0.113.1,198.51.100.7, 10.9.9.9", "198.51.100.7"),
        ("10.0.0.1", "10.0.0.2, 10.0.0.3", "10.0.0.2"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "nonsense", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.7, <script>", "10.0.0.1"),
        ("::ffff:10.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("fd00::1", "2001:db8::7", "2001:db8::7"),
        ("fd00::1", "[2001:db8::7]", "2001:db8::7"),
        ("", "198.51.100.7", ""),
        ("10.0.0.1", "198.51.100.7:5678", "198.51.100.7"),
        ("10.0.0.1", "198.51.100.7:5678, 10.9.9.9:443", "198.51.100.7"),
        ("fd00::1", "[2001:db8::7]:443", "2001:db8::7"),
        ("fd00::1", "[::ffff:198.51.100.7]:443", "198.51.100.7"),
        ("fd00::1", "::ffff:198.51.100.7", "198.51.100.7"),
        ("fd00::1", "2001:db8::7:443", "2001:db8::7:443"),
        ("10.0.0.1", "198.51.100.7:", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.7:http", "10.0.0.1"),
        ("10.0.0.1", "[198.51.100.7", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.1, unknown, 10.0.0.2:80", "10.0.0.2"),
        ("fd00::1", "fe80::7%<script>", "fd00::1"),
        ("fd00::1", "2001:db8::7]:443", "fd00::1"),
    ],
)
def test_the_client_is_the_last_that_is_no_proxy(
    peer: str, forwarded: str | None, client: str
) -> None:
    env = {"REMOTE_ADDR": peer}
    if forwarded is not None:
        env["HTTP_X_FORWARDED_FOR"] = forwarded

    assert ADDRESSES.client(env) == client


def test_without_proxies_nobody_is_believed() -> None:
    env = {"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": "198.51.100.7"}

    assert Addresses(()).client(env) == "10.0.0.1"


#: What stands in a head, as WSGI gives it.
_SENT = st.text(st.characters(max_codepoint=255)) | st.from_regex(
    r"[0-9a-f.:%\[\], \"]*", fullmatch=True
)
_STRANGERS = st.ip_addresses(network="198.51.100.0/24") | st.ip_addresses(
    network="2001:db8::/32"
)
_PROXIES = st.ip_addresses(network="10.0.0.0/8") | st.ip_addresses(network="fd00::/8")


@st.composite
def _written(draw: st.DrawFn, addresses: st.SearchStrategy[IPv4Address | IPv6Address]):
    """Give an address, and how proxies write it."""
    address = draw(addresses)
    port = draw(st.integers(0, 65535))
    bare, bracketed = str(address), f"[{address}]"
    with_port = bracketed if address.version == 6 else bare
    return address, draw(st.sampled_from([bare, bracketed, f"{with_port}:{port}"]))


@given(_SENT, _written(_STRANGERS), st.lists(_written(_PROXIES), max_size=3), _PROXIES)
def test_whatever_a_stranger_sends_the_address_that_a_proxy_saw_is_his(
    sent, stranger, between, peer
) -> None:
    hops = [sent, stranger[1], *(text for _, text in between)]
    env = {"REMOTE_ADDR": str(peer), "HTTP_X_FORWARDED_FOR": ", ".join(hops)}

    assert ADDRESSES.client(env) == str(stranger[0])


@given(_SENT, _STRANGERS)
def test_whatever_somebody_sends_who_is_no_proxy_his_address_stays(sent, peer) -> None:
    env = {"REMOTE_ADDR": str(peer), "HTTP_X_FORWARDED_FOR": sent}

    assert ADDRESSES.client(env) == str(peer)


@given(_SENT, _PROXIES)
def test_whatever_a_proxy_sends_the_client_is_an_address(sent, peer) -> None:
    env = {"REMOTE_ADDR": str(peer), "HTTP_X_FORWARDED_FOR": sent}

    client = ADDRESSES.client(env)

    assert str(ip_address(client)) == client
    assert "%" not in client
