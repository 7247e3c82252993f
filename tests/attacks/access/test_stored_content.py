"""The bytes of material, by their URL: whose they are decides, and not who knows it."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from fyr.core import Principal
from fyr.core.testing.applications import application, client_of, settings_with
from fyr.core.testing.client import Answer, Client
from fyr.core.testing.clock import FakeClock
from fyr.plugins.access_control.decisions.table import Cell, read_table

CONTENT = "/storage/api/content"
TEXT = {"Content-Type": "text/plain"}
CELLS = [one for one in read_table() if one.key.service == "storage"]
MAY = "DocumentReference.read DocumentReference.create DocumentReference.update"


@pytest.fixture(scope="module", params=["guarded", "unguarded"])
def world(request: Any, tmp_path_factory: Any, kit: Any) -> Iterator[Any]:
    """A server that decides, and one that does not."""
    more = ["access_control"] if request.param == "guarded" else []
    folder = tmp_path_factory.mktemp(request.param)
    yield from kit.world(folder, "storage_service", *more)


@pytest.fixture
def decides(world: Any) -> bool:
    return any(one.name == "access_control" for one in world.built.plugins)


def whose(kit: Any, episode: int = 1, patient: int = 1) -> dict[str, str]:
    return {
        "episodeOfCareReference": kit.url(f"EpisodeOfCare/{episode}"),
        "patientReference": kit.url(f"Patient/{patient}"),
    }


def nurse(kit: Any, team: str = "a", *contexts: str, may: str = MAY) -> Principal:
    """Make a practitioner who says to work in episode 1."""
    found = contexts or ("EpisodeOfCare/1", "Organization/1")
    user = f"Practitioner/{team}"
    made: Principal = kit.who("PRACTITIONER", user, f"CareTeam/{team}", *found, may=may)
    return made


def citizen(kit: Any, n: int = 1, may: str = MAY) -> Principal:
    made: Principal = kit.who("PATIENT", f"Patient/{n}", f"Patient/{n}", may=may)
    return made


def send(
    world: Any,
    principal: Principal,
    method: str,
    url: str = CONTENT,
    params: Mapping[str, str] | None = None,
    body: bytes | None = None,
) -> Answer:
    client: Client = client_of(world.built).acting_as(principal)
    headers = TEXT if body is not None else {}
    return client.request(method, url, body=body, params=params, headers=headers)


def kept(
    world: Any, principal: Principal, params: Any, body: bytes = b"as told"
) -> str:
    answer = send(world, principal, "POST", CONTENT, params, body)
    assert answer.status == 201, answer.body
    return f"{CONTENT}/{answer.json['id']}"


def refused(answer: Answer, decides: bool) -> bool:
    """Whether an attack fails where somebody decides, and only there."""
    return answer.status == (403 if decides else 200)


def test_without_the_privilege_nothing_is_read_or_written(
    world: Any, kit: Any, decides: bool
) -> None:
    url = kept(world, nurse(kit), whose(kit))
    poor = nurse(kit, may="")

    assert refused(send(world, poor, "GET", url), decides)
    assert refused(send(world, poor, "PUT", url, whose(kit), b"other"), decides)
    answer = send(world, poor, "POST", CONTENT, whose(kit), b"new")
    assert answer.status == (403 if decides else 201)


def test_a_team_that_is_not_on_the_episode_neither_reads_nor_writes(
    world: Any, kit: Any, decides: bool
) -> None:
    url = kept(world, nurse(kit), whose(kit))
    stranger = nurse(kit, "b")

    assert refused(send(world, stranger, "GET", url), decides)
    assert refused(send(world, stranger, "PUT", url, whose(kit), b"other"), decides)


def test_a_citizen_does_not_replace_what_the_clinic_has_told_them(
    world: Any, kit: Any
) -> None:
    url = kept(world, nurse(kit), whose(kit))
    me = citizen(kit)

    assert send(world, me, "PUT", url, whose(kit), b"take 100").status == 403
    assert send(world, me, "GET", url).body == b"as told"
    mine = kept(world, me, whose(kit))
    assert send(world, me, "PUT", mine, whose(kit), b"my own").status == 200
    assert send(world, citizen(kit, 2), "GET", mine).status == 403


def test_nothing_is_planted_in_another_patient_s_name(world: Any, kit: Any) -> None:
    elsewhere = {
        **whose(kit),
        "episodeOfCareReference": "https://nowhere.example/EpisodeOfCare/1",
    }
    machine = kit.who("SYSTEM", "", may=MAY)
    for principal, params in (
        (nurse(kit), whose(kit, 1, 2)),
        (citizen(kit), whose(kit, 2, 1)),
        (citizen(kit), elsewhere),
        (machine, whose(kit, 1, 2)),
        (machine, whose(kit, 99, 1)),
        (machine, elsewhere),
    ):
        answer = send(world, principal, "POST", CONTENT, params, b"planted")
        assert answer.status in (403, 422), (principal, params)


def test_general_material_is_replaced_by_the_organization_that_made_it(
    world: Any, kit: Any
) -> None:
    url = kept(world, nurse(kit), None)
    other = nurse(kit, "b", "Organization/2")

    assert send(world, other, "PUT", url, None, b"other").status == 403
    assert send(world, other, "GET", url).body == b"as told"
    colleague = replace(nurse(kit), user_id=kit.url("Practitioner/2"))
    assert send(world, colleague, "PUT", url, None, b"newer").status == 200
    fake = replace(citizen(kit), context=colleague.context)
    assert send(world, fake, "POST", CONTENT, None, b"for all").status == 403
    assert send(world, fake, "PUT", url, None, b"for all").status == 403


def test_systems_need_the_privilege(world: Any, kit: Any, decides: bool) -> None:
    url = kept(world, nurse(kit), whose(kit))
    poor = kit.who("SYSTEM", "")

    for method, address in (("GET", url), ("GET", f"{url}/metadata")):
        assert refused(send(world, poor, method, address), decides)
    assert refused(send(world, poor, "PUT", url, whose(kit), b"other"), decides)
    assert send(world, poor, "DELETE", url).status == (403 if decides else 204)


@pytest.mark.parametrize(
    "cell", CELLS, ids=lambda one: f"{one.key.interaction}-{one.key.user_type}"
)
def test_every_cell_of_the_table_both_ways(
    world: Any, kit: Any, decides: bool, cell: Cell
) -> None:
    if not decides:
        assert cell.privileges
        return
    who = {
        "PRACTITIONER": nurse(kit, may=""),
        "PATIENT": citizen(kit, may=""),
        "SSL": kit.who("SSL", "", "Patient/1"),
        "SYSTEM": kit.who("SYSTEM", ""),
    }[cell.key.user_type]
    maker = citizen(kit) if cell.key.user_type == "PATIENT" else nurse(kit)
    method = {"read": "GET", "create": "POST", "update": "PUT", "delete": "DELETE"}
    verb = method[cell.key.interaction]
    writes = verb in ("POST", "PUT")
    for privilege in ("Patient.read", *cell.privileges):
        url = CONTENT if verb == "POST" else kept(world, maker, whose(kit))
        principal = replace(who, privileges=frozenset({privilege}))
        params, body = (whose(kit), b"x") if writes else (None, None)
        answer = send(world, principal, verb, url, params, body)
        assert (answer.status < 300) == (privilege in cell.privileges), answer.body


def app(scopes: str, user_type: str = "PATIENT", root: str = "") -> Principal:
    """Make a user of an app, who may do what its scopes say."""
    context = {"patient": f"{root}/fhir/Patient/1"} if root else {}
    found = frozenset(scopes.split())
    return Principal(user_type, "someone", context=context, scopes=found)


@pytest.fixture(scope="module")
def apps(tmp_path_factory: Any, kit: Any) -> Iterator[Any]:
    """A server on which the scopes of apps decide."""
    options = {
        "server": {"public_url": kit.root},
        "security": {"mode": "closed"},
        "plugins": {"enabled": ["search", "access_control", "storage_service"]},
        "plugin": {"access_control": {"decide_by": "smart"}},
    }
    folder = tmp_path_factory.mktemp("smart")
    with application(settings_with(options, folder), FakeClock()) as built:
        client = client_of(built).acting_as(app("system/*.cruds", "SYSTEM"))
        client.update({"resourceType": "Patient", "id": "1"})
        subject = {"reference": "Patient/1"}
        episode = {"resourceType": "EpisodeOfCare", "id": "1", "patient": subject}
        client.update({**episode, "status": "active"})
        yield SimpleNamespace(built=built)


@pytest.mark.parametrize(
    ("scopes", "reads", "writes"),
    [
        ("patient/Observation.rs", False, False),
        ("patient/Observation.cruds", False, False),
        ("patient/DocumentReference.rs", True, False),
        ("patient/DocumentReference.cu patient/DocumentReference.r", True, True),
        ("patient/DocumentReference.cu", False, True),
        ("patient/*.cruds", True, True),
        ("", False, False),
    ],
)
def test_scopes_for_documents_decide(
    apps: Any, kit: Any, scopes: str, reads: bool, writes: bool
) -> None:
    params = {
        "episodeOfCareReference": f"{kit.root}/fhir/EpisodeOfCare/1",
        "patientReference": f"{kit.root}/fhir/Patient/1",
    }
    full = app("patient/*.cruds", root=kit.root)
    url = kept(apps, full, params)
    limited = app(scopes, root=kit.root)

    assert (send(apps, limited, "GET", url).status == 200) == reads
    assert (send(apps, limited, "PUT", url, params, b"x").status == 200) == writes
    created = send(apps, limited, "POST", CONTENT, params, b"x")
    assert (created.status == 201) == writes


def test_another_patient_s_app_reaches_nothing(apps: Any, kit: Any) -> None:
    params = {
        "episodeOfCareReference": f"{kit.root}/fhir/EpisodeOfCare/1",
        "patientReference": f"{kit.root}/fhir/Patient/1",
    }
    url = kept(apps, app("patient/*.cruds", root=kit.root), params)
    other = replace(
        app("patient/*.cruds user/*.cruds", "PRACTITIONER"),
        context={
            "patient": f"{kit.root}/fhir/Patient/2",
            "episode_of_care": params["episodeOfCareReference"],
        },
    )
    limited = replace(other, scopes=frozenset({"patient/*.cruds"}))

    assert send(apps, other, "GET", url).status == 200
    assert send(apps, limited, "GET", url).status == 403
    assert send(apps, limited, "PUT", url, params, b"x").status == 403
