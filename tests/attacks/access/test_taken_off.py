"""A care team that is taken off an episode of care: nothing that is kept lets it in.

The reads are quick ones, answered in the loop of a real server. The change comes by
another server with the same store: no memory of the first can know of it.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from fyr.core import Refused, RequestContext
from fyr.core.app import Application, build
from fyr.core.interactions.acting import Acting
from fyr.core.interactions.looking import Looking
from fyr.core.rest.quick_requests import QuickReads
from fyr.core.testing.applications import Server, client_of, serving, settings_with
from fyr.core.testing.issuer import PATIENT, issuing
from fyr.plugins.access_control.decisions.caller import Caller, Callers
from fyr.plugins.access_control.decisions.settled import Settled

ROOT = "https://fyr.example.org"
EPISODE = "http://hl7.org/fhir/StructureDefinition/workflow-episodeOfCare"
PATH = "measurement/fhir/Observation/1"


@dataclass
class Two:
    """Two servers with one store: in one the team is changed, the other is read from."""

    open: Application
    guarded: Application
    server: Server
    #: by care team and the episode of care that it has chosen
    tokens: dict[tuple[str, str], str]

    def put(self, resource: dict[str, Any]) -> None:
        answer = client_of(self.open).update(resource)
        assert answer.status in (200, 201), answer.body

    def team(self, *teams: str, episode: str = "1") -> None:
        """Say who is on an episode."""
        self.put(
            {
                "resourceType": "EpisodeOfCare",
                "id": episode,
                "status": "active",
                "patient": {"reference": "Patient/1"},
                "team": [{"reference": f"CareTeam/{one}"} for one in teams],
            }
        )

    def observation(self, episode: str = "1") -> None:
        """Say to which episode the observation belongs."""
        reference = {"reference": f"EpisodeOfCare/{episode}"}
        self.put(
            {
                "resourceType": "Observation",
                "id": "1",
                "status": "final",
                "code": {"text": "weight"},
                "subject": {"reference": "Patient/1"},
                "extension": [{"url": EPISODE, "valueReference": reference}],
            }
        )

    def read(self, team: str = "a", episode: str = "1", scheme: str = "Bearer") -> int:
        """Read the observation in a context."""
        headers = {"Authorization": f"{scheme} {self.tokens[team, episode]}"}
        url = f"{self.server.url}/{PATH}"
        return httpx.get(url, headers=headers).status_code

    def prepare(self, quick: QuickReads) -> None:
        """Fetch what a read needs, as the loop does before it answers several."""
        headers = {"AUTHORIZATION": f"Bearer {self.tokens['a', '1']}"}
        quick.prepare([Request(f"/{PATH}", headers)])


@dataclass
class Request:
    """What the loop knows of a request."""

    path: str
    headers: dict[str, str]


@pytest.fixture(params=["sqlite", "postgresql"])
def two(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Two]:
    url = f"sqlite:///{tmp_path}/fyr.db"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgresql_url")
    areas = ["search", "administrative", "clinical"]
    common = {"store": {"url": url}, "server": {"public_url": ROOT}}
    with issuing() as issuer, ExitStack() as closing:

        def made(enabled: list[str], **more: Any) -> Application:
            tables = {**common, "plugins": {"enabled": enabled}, **more}
            built = build(settings_with(tables, tmp_path))
            closing.callback(built.close)
            return built

        plain = made(areas)
        told = {"access_control": {"issuers": [issuer.settings()], "tokens": PATIENT}}
        mode = {"mode": "closed"}
        guarded = made([*areas, "access_control"], security=mode, plugin=told)
        roles = {"roles": ["Observation.read"]}
        tokens = {
            (team, episode): issuer.token(
                user_type="PRACTITIONER",
                realm_access=roles,
                context={
                    "episode_of_care_id": f"{ROOT}/careplan/fhir/EpisodeOfCare/{episode}",
                    "care_team_id": f"{ROOT}/organization/fhir/CareTeam/{team}",
                },
            )
            for team, episode in ("a1", "b1", "b2")
        }
        server = closing.enter_context(serving(guarded))
        found = Two(plain, guarded, server, tokens)
        for one in ("a", "b"):
            found.put({"resourceType": "CareTeam", "id": one, "status": "active"})
        found.put({"resourceType": "Patient", "id": "1"})
        found.team("a")
        found.observation()
        yield found


def test_a_team_that_is_taken_off_reads_nothing_from_that_commit_on(two: Two) -> None:
    for _ in range(3):
        assert two.read() == 200
        two.team("b")
        assert two.read() == 403
        two.team("a")


def test_an_episode_that_is_deleted_lets_nobody_in(two: Two) -> None:
    assert two.read() == 200

    client_of(two.open).delete("EpisodeOfCare/1")

    assert two.read() == 403


def test_a_user_who_switches_teams_is_known_by_the_one_that_is_chosen(two: Two) -> None:
    for _ in range(3):
        assert two.read("a") == 200
        assert two.read("b") == 403
    two.team("b")
    for _ in range(3):
        assert two.read("a") == 403
        assert two.read("b") == 200


def test_who_asked_last_would_lend_its_team_if_it_were_not_looked_at(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    def believed(callers: Callers, context: RequestContext) -> Caller:
        *_, caller = callers._last
        caller = caller or callers._made(context)
        callers._last = (None, None, "", caller)
        return caller

    monkeypatch.setattr(Callers, "asking", believed)
    assert two.read("a") == 200
    assert two.read("b") == 200


def test_a_team_of_the_episode_that_it_was_moved_from_reads_it_no_more(
    two: Two,
) -> None:
    two.team("b", episode="2")
    for _ in range(3):
        assert (two.read("a"), two.read("b", "2")) == (200, 403)
        two.observation("2")
        assert (two.read("a"), two.read("b", "2")) == (403, 200)
        two.observation("1")


def test_a_write_that_is_rolled_back_lets_nobody_in_and_keeps_nobody_out(
    two: Two,
) -> None:
    def fails(acting: Acting) -> None:
        team = [{"reference": "CareTeam/b"}]
        episode = acting.read("EpisodeOfCare/1")
        acting.update({**(episode or {}), "team": team})
        raise Refused("no")

    for _ in range(3):
        assert (two.read("a"), two.read("b")) == (200, 403)
        with pytest.raises(Refused):
            two.guarded.act(fails)


def test_a_token_that_is_known_counts_under_no_other_scheme(two: Two) -> None:
    assert two.read() == 200

    assert two.read(scheme="Basic") == 401
    assert two.read(scheme="bearer") == 200


def test_what_a_body_said_is_no_memory_of_what_it_says_now(two: Two) -> None:
    assert two.read() == 200
    was = client_of(two.open).get(f"/{PATH}").json

    two.put({name: value for name, value in was.items() if name != "extension"})
    assert two.read() == 403

    two.put(was)
    assert two.read() == 200


def test_a_memory_of_what_was_looked_up_would_let_it_in(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: dict[str, Any] = {}
    reads = Looking.read

    def remembered(look: Looking, reference: str) -> Any:
        return kept.setdefault(reference, reads(look, reference))

    monkeypatch.setattr(Looking, "read", remembered)
    assert two.read() == 200

    two.team("b")

    assert two.read() == 200


def test_a_decision_that_is_believed_unasked_would_let_it_in(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    def believed(known: Settled, caller: Any, subject: Any, look: Any) -> bool:
        return (caller, subject.type, subject.id) in known._known

    monkeypatch.setattr(Settled, "holds", believed)
    assert two.read() == 200

    two.team("b")

    assert two.read() == 200


def test_what_a_decision_looks_up_comes_in_the_statement_of_what_it_is_about(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    # One statement sees one state, so a team that has left sees nothing from after that.
    two.read()
    sent: list[Sequence[Any]] = []
    rows = two.guarded.database.rows

    def noted(sql: str, params: Sequence[Any] = ()) -> Any:
        sent.append(params)
        return rows(sql, params)

    monkeypatch.setattr(two.guarded.database, "rows", noted)

    assert two.read() == 200

    near = [("EpisodeOfCare", "1", "Observation", "1")]
    far = [("Observation", "1"), ("EpisodeOfCare", "1")]
    assert sent == (near if two.guarded.database.dialect == "sqlite" else far)


def test_a_wrong_guess_at_what_is_looked_up_decides_nothing(two: Two) -> None:
    assert two.read() == 200
    expected = two.guarded.interactions.expected
    ((end, _),) = expected._known["Observation"].items()
    expected._known["Observation"][end] = ("CareTeam/a",)

    assert two.read() == 200
    assert expected._known["Observation"][end] == ("EpisodeOfCare/1",)
    expected._known["Observation"][end] = ("CareTeam/nobody",)
    two.team("b")

    assert two.read() == 403


def test_what_is_fetched_for_a_decision_is_fetched_behind_what_it_is_about(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A team that has left must not see what was written after that.
    two.read()
    sent: list[list[str]] = []
    ahead = two.guarded.database.ahead

    def noted(reads: Any) -> None:
        if reads:
            sent.append([params[0] for _, params in reads])
        ahead(reads)

    monkeypatch.setattr(two.guarded.database, "ahead", noted)
    quick = QuickReads(two.guarded)

    two.prepare(quick)

    # Where a read is no trip, nothing is fetched ahead.
    far = two.guarded.database.dialect == "postgresql"
    assert sent == ([["Observation", "EpisodeOfCare"]] if far else [])


def test_what_was_fetched_for_a_decision_is_forgotten_with_it(two: Two) -> None:
    two.read()
    quick = QuickReads(two.guarded)
    headers = {"Authorization": f"Bearer {two.tokens['a', '1']}"}
    own = client_of(two.guarded).with_headers(**headers)
    two.prepare(quick)
    assert own.get(f"/{PATH}").status == 200
    quick.prepare(())

    two.team("b")

    assert own.get(f"/{PATH}").status == 403
