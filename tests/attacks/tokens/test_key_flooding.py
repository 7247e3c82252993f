"""Tokens that name keys nobody knows, in great numbers: the issuer is not asked as often.

And issuers that are away, for a while or from the beginning.
"""

from concurrent.futures import ThreadPoolExecutor

import pytest
from joserfc.jwk import RSAKey


@pytest.fixture
def unknown(issuer, claims):
    """Make tokens that are signed by keys which the issuer does not have."""
    own = RSAKey.generate_key(2048)

    def make(number):
        return issuer.token(key=own, header={"kid": f"unknown-{number}"}, **claims)

    return make


class TestWithinAnInterval:
    @pytest.fixture
    def token_settings(self):
        # The start was less than an interval ago, however slow the machine is.
        return {"unknown_key_seconds": 3600, "refresh_seconds": 3600}

    def test_a_flood_of_unknown_keys_has_the_issuer_asked_once(
        self, is_refused, ask, good, issuer, unknown
    ) -> None:
        assert ask(good()).status == 200
        before = issuer.fetched["/certs"]

        assert all(is_refused(unknown(number)) for number in range(50))
        assert issuer.fetched["/certs"] == before
        assert ask(good()).status == 200


class TestWithoutAnInterval:
    @pytest.fixture
    def token_settings(self):
        return {"unknown_key_seconds": 0, "wait_seconds": 10}

    def test_those_that_come_together_wait_for_one_fetch(
        self, ask, good, issuer, claims
    ) -> None:
        assert ask(good()).status == 200
        issuer.answers.clear()
        issuer.asked.clear()
        old = issuer.fetched["/.well-known/openid-configuration"]
        issuer.rotate()
        tokens = [issuer.token(**claims, jti=str(number)) for number in range(8)]
        with ThreadPoolExecutor(8) as threads:
            answers = [threads.submit(ask, token) for token in tokens]
            while issuer.fetched["/.well-known/openid-configuration"] == old:
                pass
            issuer.answers.set()
            statuses = [answer.result().status for answer in answers]

        assert statuses == [200] * 8

    def test_a_new_key_is_taken_at_once(self, ask, good, issuer) -> None:
        assert ask(good()).status == 200
        issuer.rotate()

        assert ask(good()).status == 200

    def test_a_key_that_is_withdrawn_takes_known_tokens_with_it(
        self, ask, is_refused, good, issuer
    ) -> None:
        old = good()
        assert ask(old).status == 200
        issuer.rotate(keep=False)
        assert ask(good()).status == 200

        assert is_refused(old)


class TestAnIssuerThatGoesAway:
    @pytest.fixture
    def token_settings(self):
        return {"unknown_key_seconds": 0}

    def test_known_keys_stay_good(self, ask, good, provider) -> None:
        assert ask(good()).status == 200
        provider.leave()
        try:
            assert ask(good(jti="another")).status == 200
        finally:
            provider.come()

    def test_unknown_keys_are_refused_until_it_is_back(
        self, ask, is_refused, good, issuer, provider
    ) -> None:
        assert ask(good()).status == 200
        provider.leave()
        issuer.rotate()
        try:
            assert is_refused(good())
        finally:
            provider.come()

        assert ask(good()).status == 200


class TestAnIssuerThatWasNeverThere:
    @pytest.fixture
    def token_settings(self):
        # A fetch is tried again as often as they are refreshed.
        return {"refresh_seconds": 0.2, "wait_seconds": 0.2}

    @pytest.fixture
    def fyr_options(self, fyr_options, provider, issuer, other_issuer):
        """Asking for the settings makes the realms; then the provider goes away."""
        provider.leave()
        yield fyr_options
        provider.come()

    def test_its_users_are_asked_to_come_back(self, ask, good) -> None:
        answer = ask(good())

        assert answer.status == 503
        assert int(answer.headers["retry-after"]) > 0
        assert answer.json["issue"][0]["code"] == "transient"

    def test_it_is_told_to_those_who_run_the_server(
        self, ask, good, fyr_client, fyr_app
    ) -> None:
        assert ask(good()).status == 503
        ready = fyr_client.get("/health/ready").json
        told = {one["name"]: one for one in fyr_app.plugins.report()}

        assert ready["status"] == "degraded"
        assert ready["ports"]["plugins"]["impaired"] == 1
        assert "ehealth" not in str(ready)
        assert "ehealth" in told["access_control"]["problem"]

    def test_its_users_pass_once_it_is_there(self, ask, good, provider, issuer) -> None:
        assert ask(good()).status == 503
        provider.come()
        try:
            assert issuer.asked.wait(60)
            while ask(good()).status == 503:
                pass
            assert ask(good()).status == 200
        finally:
            provider.leave()


class TestKeysThatAreFetchedEverySoOften:
    @pytest.fixture
    def token_settings(self):
        return {"refresh_seconds": 0.05}

    def test_a_withdrawn_key_is_noticed_without_a_token_that_asks(
        self, ask, good, issuer
    ) -> None:
        token = good()
        assert ask(token).status == 200
        issuer.rotate(keep=False)
        while ask(token).status == 200:
            issuer.asked.clear()
            assert issuer.asked.wait(60)

        assert ask(token).status == 401
        assert ask(good()).status == 200


class TestAnIssuerThatHangs:
    @pytest.fixture
    def token_settings(self):
        return {"fetch_seconds": 30, "wait_seconds": 0.1}

    @pytest.fixture
    def fyr_options(self, fyr_options, issuer):
        issuer.answers.clear()
        yield fyr_options
        issuer.answers.set()

    def test_requests_of_the_other_realm_go_on(
        self, ask, good, other_issuer, issuer, claims
    ) -> None:
        assert ask(good()).status == 503
        while (answer := ask(other_issuer.token(**claims))).status == 503:
            pass
        issuer.answers.set()

        assert answer.status == 200
