"""What a token decides in open mode, and for whom nothing has to be waited."""

import pytest

from fyr.core.context import RequestContext
from fyr.core.testing.issuer import issuing


@pytest.fixture
def issuer(fyr_clock):
    with issuing(clock=fyr_clock) as running:
        yield running


@pytest.fixture
def fyr_options(issuer):
    return {
        "plugins": {"enabled": ["search", "access_control"]},
        "plugin": {"access_control": {"issuers": [issuer.settings()]}},
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


def test_who_is_known_already_is_told_without_waiting(
    fyr_app, authentication, issuer
) -> None:
    asked = context(fyr_app, issuer.token())

    assert authentication.known(asked) is None
    principal = authentication.principal(asked)
    assert authentication.known(asked) is principal


def test_nobody_is_fetched_for_before_somebody_serves(
    fyr_app, issuer, fyr_settings
) -> None:
    """A command line that opens the application does not call the issuer."""
    assert issuer.fetched.total() == 0
    fyr_app.wsgi()
    assert issuer.asked.wait(30)
