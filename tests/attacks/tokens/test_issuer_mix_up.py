"""Tokens of one realm that claim to be of another, and realms that claim so.

https://www.rfc-editor.org/rfc/rfc9700#section-4.4
"""

import json

import pytest


@pytest.fixture(autouse=True)
def _good_tokens_of_both_realms_pass(ask, good, other_issuer, claims):
    assert ask(good()).status == 200
    assert ask(other_issuer.token(**claims)).status == 200


def test_the_key_of_one_realm_does_not_sign_for_the_other(
    is_refused, issuer, other_issuer, claims
) -> None:
    key = other_issuer.keys[-1]

    assert is_refused(issuer.token(key=key, **claims))


def test_the_key_of_one_realm_under_the_name_of_the_others_is_refused(
    is_refused, issuer, other_issuer, claims
) -> None:
    header = {"kid": issuer.keys[-1].kid}

    assert is_refused(issuer.token(key=other_issuer.keys[-1], header=header, **claims))


def test_a_principal_says_which_realm_vouches(
    fyr_app, issuer, other_issuer, claims
) -> None:
    from fyr.core.context import RequestContext

    service = next(iter(fyr_app.services))
    for one, realm in ((issuer, "ehealth"), (other_issuer, "nemlogin")):
        context = RequestContext(service, "read")
        context.authorization = f"Bearer {one.token(**claims)}"
        principal = fyr_app.hooks.authenticate(context=context)

        assert (principal.realm, principal.issuer) == (realm, one.url)


class TestDiscovery:
    """An issuer's description that names another issuer, or leads elsewhere."""

    @pytest.fixture
    def token_settings(self):
        return {"unknown_key_seconds": 0}

    def test_a_description_of_another_issuer_brings_no_keys(
        self, is_refused, ask, issuer, other_issuer, good, claims
    ) -> None:
        described = {
            "issuer": other_issuer.url,
            "jwks_uri": f"{other_issuer.url}/certs",
        }
        path = "/.well-known/openid-configuration"
        issuer.instead[path] = json.dumps(described).encode()

        assert is_refused(issuer.token(key=other_issuer.keys[-1], **claims))
        assert ask(good()).status == 200

    @pytest.mark.parametrize(
        "url", ["http://keys.example.org/certs", "file:///etc/passwd", "ftp://x/y", 7]
    )
    def test_keys_are_not_fetched_where_they_could_be_altered(
        self, is_refused, ask, issuer, good, url
    ) -> None:
        described = {"issuer": issuer.url, "jwks_uri": url}
        path = "/.well-known/openid-configuration"
        issuer.instead[path] = json.dumps(described).encode()
        known = issuer.keys[-1]
        issuer.rotate()

        assert is_refused(good())
        assert ask(good(key=known)).status == 200
