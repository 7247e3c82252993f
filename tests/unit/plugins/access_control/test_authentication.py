"""What a token decides in open mode, and for whom nothing has to be waited."""

import pytest

from fyr.core.context import RequestContext
from fyr.core.rest.app import create_wsgi
from fyr.core.testing.issuer import PATIENT, issuing


@pytest.fixture
def issuer(fyr_clock):
    with issuing(clock=fyr_clock) as running:
        yield running


@pytest.fixture
def fyr_options(issuer):
    return {
        "plugins": {"enabled": ["search", "access_control"]},
        "plugin": {
            "access_control": {"issuers": [issuer.settings()], "tokens": PATIENT}
        },
    }


@pytest.fixture
def authentication(fyr_app):
    plugins = {one.name: one.target for one in fyr_app.plugins}
    return plugins["access_control"].authentication


def context(fyr_app, token):
    return RequestContext(
        fyr_app.services.default, "read", authorization=f"Bearer {token}"
    )


def test_a_token_that_does_not_hold_is_refused_in_open_mode_too(
    fyr_client, issuer
) -> None:
    expired = issuer.token(exp=1)

    answer = fyr_client.get("Patient", Authorization=f"Bearer {expired}")
    assert answer.status == 401


def test_the_same_principal_is_given_for_the_same_token(
    fyr_app, authentication, issuer
) -> None:
    first, other = issuer.token(), issuer.token(jti="another")
    told = [authentication.principal(context(fyr_app, first)) for _ in range(3)]

    assert told[0] is told[1] is told[2]
    assert authentication.principal(context(fyr_app, other)) is not told[0]


def test_users_with_the_same_privileges_share_them(
    fyr_app, authentication, issuer
) -> None:
    """A hundred privileges take more room than the rest of a token."""
    told = [
        authentication.principal(context(fyr_app, issuer.token(user_id=user)))
        for user in ("ada", "grace")
    ]

    assert told[0].privileges is told[1].privileges
    assert told[0] != told[1]


def test_nobody_is_fetched_for_before_somebody_serves(
    fyr_app, issuer, fyr_settings
) -> None:
    """A command line that opens the application does not call the issuer."""
    assert issuer.fetched.total() == 0
    create_wsgi(fyr_app)
    assert issuer.asked.wait(60)
