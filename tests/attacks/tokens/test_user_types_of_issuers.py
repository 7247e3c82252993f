"""A realm of citizens whose tokens say that they are of a system."""

import pytest

from fyr.core.security.bearer import InvalidToken
from fyr.core.security.claims import principal_of
from fyr.core.security.settings import USER_TYPES, IssuerSettings


def issuer(**more: object) -> IssuerSettings:
    name = "https://login.example.org/citizens"
    return IssuerSettings(issuer=name, audiences=["fyr"], **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("user_type", sorted(USER_TYPES))
def test_an_issuer_vouches_for_the_kinds_of_users_that_it_was_given(
    user_type: str,
) -> None:
    claims = {"sub": "x", "user_type": user_type}
    citizens = issuer(user_types=["PATIENT"])

    assert principal_of(claims, issuer()).user_type == user_type
    if user_type == "PATIENT":
        assert principal_of(claims, citizens).user_type == "PATIENT"
        return
    with pytest.raises(InvalidToken, match="does not vouch"):
        principal_of(claims, citizens)


@pytest.mark.parametrize(
    "names", [{"user_types": {"citizen": "SYSTEM"}}, {"missing_user_type": "SYSTEM"}]
)
def test_no_other_name_for_a_user_type_leads_around_it(
    names: dict[str, object],
) -> None:
    told = {"user_type": "citizen"} if "user_types" in names else {}
    citizens = issuer(user_types=["PATIENT"], claims=names)

    with pytest.raises(InvalidToken, match="does not vouch"):
        principal_of({"sub": "x", **told}, citizens)
