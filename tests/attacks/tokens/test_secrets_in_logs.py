"""What a token says stays out of the log and out of answers, whatever is wrong with it."""

import base64
import json

import pytest

SECRETS = ("Nancy Ann Berggren", "2512489996", "very-private-privilege")


@pytest.fixture
def fyr_options(fyr_options):
    return {**fyr_options, "log": {"level": "debug"}, "server": {"access_log": True}}


@pytest.fixture
def private(good):
    """Make tokens of somebody who has a name."""

    def make(**more):
        name, cpr, privilege = SECRETS
        roles = {"roles": ["Patient.read", "Patient.search", privilege]}
        return good(**{"name": name, "cpr": cpr, "realm_access": roles, **more})

    return make


def told(token) -> list[str]:
    """What must not be told: the token's parts, and what stands in them."""
    return [*(part[:24] for part in token.split(".")[1:]), *SECRETS]


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"exp": 1},
        {"aud": "another-server"},
        {"user_type": "Nancy Ann Berggren"},
        {"iss": "https://2512489996.example.org"},
        {"typ": "2512489996"},
        {"context": {"patient_id": "2512489996"}},
        {"header": {"kid": "2512489996"}},
        {"header": {"typ": "2512489996"}},
    ],
)
def test_nothing_of_a_token_is_told(ask, private, capfd, wrong) -> None:
    token = private(**wrong)
    answer = ask(token)
    log = "".join(capfd.readouterr())

    assert answer.status == (401 if wrong else 200)
    heard = log + answer.body.decode() + json.dumps(dict(answer.headers))
    assert [secret for secret in told(token) if secret in heard] == []


def test_a_refusal_is_logged_with_its_reason(ask, private, capfd) -> None:
    ask(private(exp=1))

    assert "it has expired" in "".join(capfd.readouterr())


def test_a_broken_token_is_not_told(ask, private, capfd) -> None:
    header, payload, signature = private().split(".")
    broken = f"{header}.{payload[:-7]}.{signature}"
    answer = ask(broken)
    heard = "".join(capfd.readouterr()) + answer.body.decode()

    assert answer.status == 401
    assert payload[:24] not in heard
    assert base64.urlsafe_b64decode(payload + "==")[:24].decode() not in heard
