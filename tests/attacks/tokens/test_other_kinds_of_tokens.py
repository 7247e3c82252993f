"""Tokens of the right issuer that are not for calling a server.

https://www.rfc-editor.org/rfc/rfc8725#section-3.11
"""

import pytest


@pytest.fixture(autouse=True)
def _a_good_token_passes(ask, good):
    assert ask(good()).status == 200


def test_a_token_of_another_kind_is_refused(is_refused, good) -> None:
    kinds = ["ID", "Refresh", "Offline", "Logout", "DPoP", "Initial", "", 1, ["Bearer"]]

    assert [kind for kind in kinds if not is_refused(good(typ=kind))] == []


def test_a_provider_that_tells_no_kind_is_taken(ask, good) -> None:
    assert ask(good(typ=None)).status == 200


@pytest.mark.parametrize(
    "others",
    [
        {"at_hash": "x"},
        {"c_hash": "x"},
        {"events": {"http://schemas.openid.net/event/backchannel-logout": {}}},
        {"cnf": {"jkt": "x"}},
    ],
)
def test_a_token_with_claims_of_another_kind_is_refused(
    is_refused, good, others
) -> None:
    assert is_refused(good(typ=None, **others))


def test_a_header_of_another_kind_is_refused(is_refused, good) -> None:
    kinds = ["logout+jwt", "dpop+jwt", "secevent+jwt", "JWE"]

    assert [one for one in kinds if not is_refused(good(header={"typ": one}))] == []


def test_a_header_of_an_access_token_is_taken(ask, good) -> None:
    for kind in ("at+jwt", "JWT", "jwt"):
        assert ask(good(header={"typ": kind})).status == 200
