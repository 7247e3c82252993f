"""A server with the development issuer, and what its tokens say."""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest

from fyr.core.context import RequestContext
from fyr.core.testing.clock import FakeClock

from .words import REALM


@pytest.fixture
def fyr_options():
    return {
        "security": {"mode": "closed"},
        "plugins": {"enabled": ["search", "access_control"]},
        "plugin": {"access_control": {"development": True}},
    }


@pytest.fixture
def fyr_clock():
    """Go by the machine's time, as the command line knows no other.

    Ahead of it: else a command that comes late tells tokens of the future.
    """
    return FakeClock(datetime.now(UTC) + timedelta(minutes=10))


@pytest.fixture
def principal(fyr_app):
    """Tell whose an access token is."""

    def of(token):
        context = RequestContext(next(iter(fyr_app.services)), "read")
        context.authorization = f"Bearer {token}"
        return fyr_app.hooks.authenticate(context=context)

    return of


@pytest.fixture
def switch(fyr_client):
    """Ask the token endpoint for another context."""

    def ask(tokens, realm=REALM, **form):
        told = {
            "client_id": "fyr-dev",
            "grant_type": "refresh_token",
            "refresh_token": tokens["refresh_token"],
            **form,
        }
        return fyr_client.post(
            f"{realm}/protocol/openid-connect/token",
            urlencode(told),
            Content_Type="application/x-www-form-urlencoded",
        )

    return ask
