"""What ``fyr config check`` tells a deployer who has it wrong in closed mode."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from fyr.core.cli import main
from fyr.core.testing.issuer import issuing
from fyr.core.testing.minio import available, running_minio
from fyr.core.testing.servers import absent

Check = Callable[..., Result]
ENABLED = '[plugins]\nenabled = ["access_control"]\n'
ISSUER = """
[[plugin.access_control.issuers]]
issuer = "https://login.example.org/realms/ehealth"
audiences = ["EHealth"]
"""
CLOSED = '[security]\nmode = "closed"\n'
OPEN = '[security]\nmode = "open"\n'


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Check:
    import os

    for name in [name for name in os.environ if name.startswith("FYR_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("FYR_DATA_DIR", str(tmp_path / "data"))

    def checked(text: str, *more: str) -> Result:
        file = tmp_path / "fyr.toml"
        file.write_text(text)
        arguments = ["config", "check", "--config", str(file), *more]
        return CliRunner().invoke(main, arguments)

    return checked


def test_a_sound_deployment_is_told_nothing(check: Check) -> None:
    done = check(
        '[server]\nhost = "0.0.0.0"\npublic_url = "https://fyr.example.org"\n'
        + CLOSED
        + ENABLED
        + ISSUER
    )

    assert (done.output, done.exit_code) == ("The settings are fine.\n", 0)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (CLOSED, "no plugin authenticates, so nobody can call"),
        (CLOSED + ENABLED, "no issuers: each token is refused with 401"),
        (
            OPEN + ENABLED + ISSUER,
            "security.mode is open: whoever sends no token may do",
        ),
        (
            OPEN + '[server]\npublic_url = "https://fyr.example.org"\n',
            "security.mode is open, and others are told to come by fyr.example.org",
        ),
        (
            CLOSED
            + ENABLED
            + ISSUER
            + '[server]\npublic_url = "http://fyr.example.org"\n',
            "server.public_url begins with http://: tokens and health data",
        ),
        (
            CLOSED
            + ENABLED
            + ISSUER
            + '[services.careplan]\npublic_url = "http://careplan.example.org"\n',
            "services.careplan.public_url begins with http://",
        ),
        (
            CLOSED + ENABLED + "[plugin.access_control]\ndevelopment = true\n" + ISSUER,
            "development: whoever can read the data folder can be anybody",
        ),
        (
            CLOSED + ENABLED + ISSUER.replace("ehealth", "ehealth/"),
            "it ends with a slash",
        ),
        (
            CLOSED + ENABLED + ISSUER + "clock_skew_seconds = 300\n",
            "clock_skew_seconds: a token is good for 300 seconds longer than it says",
        ),
        (
            CLOSED
            + ENABLED
            + ISSUER
            + "[plugin.access_control.issuers.claims]\nmissing_user_type = 'SYSTEM'\n",
            "claims.missing_user_type: whoever has a token that says nothing",
        ),
    ],
)
def test_what_may_not_be_meant_is_told_and_refuses_nothing(
    check: Check, text: str, told: str
) -> None:
    if "[services.careplan]" in text:
        text = text.replace(
            '"access_control"', '"administrative", "clinical", "access_control"'
        )
    done = check(text)

    assert "Warning: " in done.output
    assert told in done.output
    assert "The settings are fine.\n" in done.output
    assert done.exit_code == 0


@pytest.mark.parametrize(
    ("networks", "wide"),
    [
        (["0.0.0.0/0"], ["0.0.0.0/0"]),
        (["::/0"], ["::/0"]),
        (["0.0.0.0/1", "128.0.0.0/1"], ["0.0.0.0/1", "128.0.0.0/1"]),
        (["10.0.0.0/8", "2000::/3"], ["2000::/3"]),
        (["10.0.0.0/7"], ["10.0.0.0/7"]),
        (["10.0.0.0/8", "172.16.0.0/12", "203.0.113.0/24", "192.0.2.1/32"], []),
        (["fc00::/7", "fd00::/8", "2001:db8::/32", "::1/128"], []),
    ],
)
def test_networks_of_proxies_that_hold_everybody_are_told(
    check: Check, networks: list[str], wide: list[str]
) -> None:
    done = check(
        f"[server]\ntrusted_proxies = {networks}\n" + CLOSED + ENABLED + ISSUER
    )

    told = [line for line in done.output.splitlines() if "trusted_proxies" in line]
    assert len(told) == len(wide)
    for line, network in zip(told, wide, strict=True):
        assert f"server.trusted_proxies: {network} holds strangers" in line
    assert done.exit_code == 0


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (ISSUER.replace('audiences = ["EHealth"]', ""), "audiences: Field required"),
        (ISSUER.replace('["EHealth"]', "[]"), "audiences: List should have at least 1"),
        (ISSUER.replace('"EHealth"', '" "'), "audiences: an empty one is nobody's"),
        (ISSUER.replace("https", "http"), "issuer: is to begin with https://"),
        (ISSUER + 'jwks_url = "http://a.example.org"\n', "jwks_url: is to begin with"),
        (
            ISSUER + "clock_skew_seconds = 86400\n",
            "clock_skew_seconds: Input should be",
        ),
        (ISSUER + 'algorithms = ["HS256"]\n', "algorithms.0: Input should be"),
        (ISSUER + 'algorithms = ["none"]\n', "algorithms.0: Input should be"),
        (ISSUER * 2, "two have the issuer"),
        (ISSUER + 'audience = "EHealth"\n', "audience"),
    ],
)
def test_what_would_let_in_anybody_is_refused(
    check: Check, text: str, told: str
) -> None:
    done = check(CLOSED + ENABLED + text)

    assert done.exit_code == 2
    assert told in done.output


@pytest.mark.parametrize(
    ("server", "told"),
    [
        (
            'host = "0.0.0.0"\npublic_url = "https://fyr.example.org"',
            "server.host is 0.0.0.0",
        ),
        ('public_url = "https://fyr.example.org"', "others come by fyr.example.org"),
        ('trusted_proxies = ["127.0.0.1/32"]', "others come by a proxy"),
    ],
)
def test_the_development_issuer_is_told_where_others_come(
    check: Check, server: str, told: str
) -> None:
    development = "[plugin.access_control]\ndevelopment = true\n"

    done = check(f"[server]\n{server}\n" + CLOSED + ENABLED + development)

    assert done.exit_code == 2
    assert "plugin.access_control.development" in done.output
    assert told in done.output


class TestReach:
    """``--reach`` asks the issuers."""

    @staticmethod
    def text(issuer: Any, **more: Any) -> str:
        lines = {**issuer.settings(), "realm": "test", **more}
        table = "".join(f"{name} = {value!r}\n" for name, value in lines.items())
        return f"{CLOSED}{ENABLED}[[plugin.access_control.issuers]]\n{table}"

    def test_an_issuer_that_answers_is_fine(self, check: Check) -> None:
        with issuing() as issuer:
            done = check(self.text(issuer), "--reach")

        assert (done.output, done.exit_code) == ("The settings are fine.\n", 0)

    def test_one_that_cannot_be_reached_is_told_when_it_is_asked(
        self, check: Check
    ) -> None:
        with issuing() as issuer:
            text = self.text(issuer)

        unasked, asked = check(text), check(text, "--reach")

        assert unasked.exit_code == 0
        assert asked.exit_code == 1
        assert f"issuer {issuer.url}: it cannot be reached" in asked.output

    def test_another_issuer_or_other_keys_are_told(self, check: Check) -> None:
        with issuing() as issuer:
            text = self.text(issuer)
            other = check(self.text(issuer, algorithms=["EdDSA"]), "--reach")
            issuer.instead["/.well-known/openid-configuration"] = b'{"issuer": "x"}'
            described = check(text, "--reach")

        assert "no key of it is for algorithms EdDSA" in other.output
        assert "what is found there describes another issuer" in described.output
        assert (other.exit_code, described.exit_code) == (1, 1)

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            (
                '[blobs]\nurl = "s3+http://127.0.0.1:1/fyr"\n',
                "blobs.url: the blob store cannot be reached",
            ),
            (
                '[blobs]\nurl = "s3+http://127.0.0.1:1/A"\n',
                "blobs.url: ",
            ),
            (
                '[reporting]\nurl = "http://127.0.0.1:1"\n',
                "reporting.url: Elasticsearch cannot be reached",
            ),
            (
                '[reporting]\nurl = "https://127.0.0.1:1"\ntls_ca = "none.pem"\n',
                "reporting.tls_ca: there is no file none.pem",
            ),
        ],
    )
    def test_a_store_or_an_index_that_is_away_is_told_when_it_is_asked(
        self, check: Check, text: str, told: str
    ) -> None:
        text += '[plugins]\nenabled = ["search"]\n'

        unasked, asked = check(text), check(text, "--reach")

        assert unasked.exit_code == 0
        assert asked.exit_code == 1
        assert told in asked.output

    def test_each_is_told_once_beside_the_other(self, check: Check) -> None:
        text = '[blobs]\nurl = "s3+http://127.0.0.1:1/fyr"\n'
        text += '[reporting]\nurl = "http://127.0.0.1:1"\n'

        done = check(text + '[plugins]\nenabled = ["search"]\n', "--reach")

        assert done.output.count("blobs.url: ") == 1
        assert done.output.count("reporting.url: ") == 1

    def test_what_is_kept_on_the_own_disk_is_not_asked(
        self, check: Check, tmp_path: Path
    ) -> None:
        text = '[reporting]\nurl = "embedded"\n[plugins]\nenabled = ["search"]\n'

        done = check(text, "--reach")

        assert (done.exit_code, list(tmp_path.glob("data/*"))) == (0, [])

    def test_a_bucket_that_is_not_there_and_a_wrong_key_are_told(
        self, check: Check
    ) -> None:
        if why := available():
            absent("minio", why)
        with running_minio() as server:
            bucket = server.new_bucket()
            right, elsewhere = server.options(bucket), server.options("no-such-bucket")
            wrong = {**right, "secret_key": "wrong-secret"}
            answers = [
                check(self.blobs(one), "--reach") for one in (right, elsewhere, wrong)
            ]

        assert [one.exit_code for one in answers] == [0, 1, 1]
        assert "blobs.url: there is no bucket no-such-bucket" in answers[1].output
        assert "refuses the credentials of [blobs]" in answers[2].output

    @staticmethod
    def blobs(options: dict[str, Any]) -> str:
        return "[blobs]\n" + "".join(f"{n} = {v!r}\n" for n, v in options.items())


@pytest.mark.parametrize(
    "root", ["", '[server]\npublic_url = "https://fyr.example.org"\n']
)
def test_services_without_a_url_beside_some_that_have_one_are_told(
    check: Check, root: str
) -> None:
    plugins = ENABLED.replace(
        "access", 'search", "administrative", "clinical", "access'
    )
    own = '[services.careplan]\npublic_url = "https://careplan.example.org"\n'
    off = "[services.plan]\nenabled = false\n"
    done = check(root + CLOSED + plugins + ISSUER + own + off)

    assert done.exit_code == 0
    is_told = "services.careplan has a public_url, and " in done.output
    assert is_told is not bool(root)
    assert ("task" in done.output, " plan," in done.output) == (is_told, False)
