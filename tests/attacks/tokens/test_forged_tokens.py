"""Tokens that were altered, that somebody else signed, or whose time is over."""

import base64
import json

import pytest
from joserfc import jws, jwt
from joserfc.jwk import RSAKey


def part(value) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def with_payload(token, **claims) -> str:
    header, payload, signature = token.split(".")
    told = json.loads(base64.urlsafe_b64decode(payload + "=="))
    return ".".join((header, part({**told, **claims}), signature))


@pytest.fixture(autouse=True)
def _a_good_token_passes(ask, good):
    assert ask(good()).status == 200


def test_more_privileges_than_were_signed_are_refused(is_refused, good) -> None:
    roles = {"realm_access": {"roles": ["Patient.read", "$bulk-export"]}}

    assert is_refused(with_payload(good(), **roles))


def test_another_user_than_was_signed_is_refused(is_refused, good) -> None:
    assert is_refused(with_payload(good(), user_id="somebody-else"))


def test_a_longer_life_than_was_signed_is_refused(is_refused, good) -> None:
    assert is_refused(with_payload(good(), exp=4_000_000_000))


@pytest.mark.parametrize("position", [0, 40, -2])
def test_an_altered_signature_is_refused(is_refused, good, position) -> None:
    header, payload, signature = good().split(".")
    at = position % len(signature)
    other = "A" if signature[at] != "A" else "B"
    altered = signature[:at] + other + signature[at + 1 :]

    assert is_refused(".".join((header, payload, altered)))


def test_a_token_that_lost_its_signature_is_refused(is_refused, ask, good) -> None:
    header, payload, _ = good().split(".")

    assert ask(f"{header}.{payload}.").status == 401
    assert ask(f"{header}.{payload}").status == 401


def test_a_known_signature_does_not_vouch_for_another_payload(
    is_refused, ask, good
) -> None:
    """The cache finds tokens by the end of their signature."""
    token = good()
    assert ask(token).status == 200

    assert is_refused(with_payload(token, user_id="somebody-else"))
    assert ask(token).status == 200


def test_a_key_of_somebody_else_under_the_right_name_is_refused(
    is_refused, issuer, claims
) -> None:
    own = RSAKey.generate_key(2048, {"kid": issuer.keys[-1].kid})

    assert is_refused(issuer.token(key=own, **claims))


class TestTimes:
    def test_a_token_is_refused_once_it_has_expired(
        self, is_refused, ask, good, fyr_clock
    ) -> None:
        token = good()
        assert ask(token).status == 200

        fyr_clock.advance(seconds=309)
        assert ask(token).status == 200
        fyr_clock.advance(seconds=1)
        assert is_refused(token)

    @pytest.mark.parametrize("claim", ["nbf", "iat"])
    def test_a_token_is_refused_until_it_begins(
        self, is_refused, ask, good, fyr_clock, claim
    ) -> None:
        begins = int(fyr_clock().timestamp()) + 60
        token = good(**{claim: begins})

        assert is_refused(token)
        fyr_clock.advance(seconds=50)
        assert ask(token).status == 200

    def test_a_token_is_refused_when_the_clock_goes_back_before_it(
        self, is_refused, ask, good, fyr_clock
    ) -> None:
        token = good()
        assert ask(token).status == 200

        fyr_clock.advance(seconds=-11)
        assert is_refused(token)

    def test_a_token_without_an_end_is_refused(self, is_refused, good) -> None:
        assert is_refused(good(exp=None))

    def test_an_end_that_is_no_time_is_refused(self, is_refused, good) -> None:
        for end in ("4000000000", True, [4_000_000_000], 1e300, -1, {"at": 1}, 10**30):
            assert is_refused(good(exp=end))

    def test_an_end_that_json_cannot_hold_is_refused(
        self, is_refused, issuer, claims
    ) -> None:
        key = issuer.keys[-1]
        told = json.dumps(issuer.claims(**claims, exp=0))
        for end in ("NaN", "Infinity", "1e999"):
            payload = told.replace('"exp": 0', f'"exp": {end}')
            header = {"alg": "RS256", "kid": key.kid}

            assert is_refused(jws.serialize_compact(header, payload, key))


class TestAudience:
    def test_a_token_for_somebody_else_is_refused(self, is_refused, good) -> None:
        for audience in (None, "another", [], ["another"], {"EHealth": 1}, 1):
            assert is_refused(good(aud=audience))

    def test_a_part_of_the_audience_is_not_enough(self, is_refused, good) -> None:
        assert is_refused(good(aud="EHealthOfSomebodyElse"))

    def test_one_audience_may_stand_alone(self, ask, good) -> None:
        assert ask(good(aud="EHealth")).status == 200


class TestShapes:
    def test_what_is_no_token_is_refused(self, ask) -> None:
        for token in (
            "",
            " ",
            "x",
            "..",
            "a.b.c",
            "a.b.c.d.e",
            "e30.e30.e30",
            "bnVsbA.bnVsbA.bnVsbA",
            "W10.W10.W10",
            "ü.ü.ü",
            "e30=.e30=.e30=",
            "a\tb.c.d",
            "a" * 20_000,
            f"{part({'alg': 'RS256'})}.{'W' * 8_000}.eA",
        ):
            answer = ask(token)

            assert answer.status == 401
            assert answer.json["resourceType"] == "OperationOutcome"

    def test_a_token_that_is_too_long_is_refused(self, is_refused, good) -> None:
        assert is_refused(good(name="x" * 20_000))

    def test_a_payload_that_is_nested_deeply_is_refused(
        self, is_refused, issuer
    ) -> None:
        deep = "[" * 5_000 + "]" * 5_000
        body = base64.urlsafe_b64encode(f'{{"iss":{deep}}}'.encode()).decode()
        header = part({"alg": "RS256", "kid": issuer.keys[-1].kid})

        assert is_refused(f"{header}.{body.rstrip('=')}.c2lnbmVk")

    def test_two_tokens_at_once_are_refused(self, ask, good) -> None:
        assert ask(f"{good()}, Bearer {good()}").status == 401

    def test_a_token_in_the_query_is_not_taken(self, fyr_client, good) -> None:
        answer = fyr_client.get("Patient", {"access_token": good()})

        assert answer.status == 401
        assert good() not in answer.body.decode()

    def test_another_scheme_is_nobody(self, fyr_client) -> None:
        answer = fyr_client.get("Patient", Authorization="Basic YTpi")

        assert answer.status == 401
        assert answer.headers["www-authenticate"] == 'Bearer realm="fyr"'


class TestWho:
    def test_an_unknown_kind_of_user_is_refused(self, is_refused, good) -> None:
        for kind in (None, "", "ADMIN", "system", 1, ["SYSTEM"]):
            assert is_refused(good(user_type=kind))

    def test_nobody_is_refused(self, is_refused, good) -> None:
        assert is_refused(good(user_id="", sub=None))

    def test_a_context_of_another_shape_is_refused(self, is_refused, good) -> None:
        for context in (
            ["https://patient.example.org/fhir/Patient/1"],
            {"patient_id": 1},
            {"patient_id": ["https://patient.example.org/fhir/Patient/1"]},
            {"patient_id": "Patient/1"},
            {"team_on_eoc": "yes"},
        ):
            assert is_refused(good(context=context))

    def test_privileges_of_another_shape_are_refused(self, is_refused, good) -> None:
        for roles in ({"a": 1}, [1], 7):
            assert is_refused(good(realm_access={"roles": roles}))


def test_an_issuer_that_nobody_trusts_is_refused(is_refused, provider, claims) -> None:
    stranger = provider.realm("stranger", "RS256")

    assert is_refused(stranger.token(**claims))
    assert stranger.fetched.total() == 0


def test_a_token_without_an_issuer_is_refused(is_refused, good) -> None:
    assert is_refused(good(iss=None))


def test_an_issuer_of_almost_the_same_name_is_refused(is_refused, good, issuer) -> None:
    for suffix in ("/", "/.", "?", "#", "/../ehealth", "\u0000"):
        assert is_refused(good(iss=issuer.url + suffix))


def test_an_unsigned_copy_is_refused_though_the_original_is_known(
    is_refused, ask, good, issuer, claims
) -> None:
    token = good()
    assert ask(token).status == 200
    unsigned = f"{part({'alg': 'none'})}.{token.split('.')[1]}.{token.split('.')[2]}"

    assert is_refused(unsigned)
    assert jwt.decode(token, issuer.keys[-1], algorithms=["RS256"]).claims
