"""SMART scopes decide: a citizen's app, a nurse's app, a system."""

import pytest

from fyr.core.context import Principal

BASE = "http://localhost/fhir"


def observation(patient, category="laboratory", **more):
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "something"},
        "category": [{"coding": [{"code": category}]}],
        "subject": {"reference": patient},
        **more,
    }


@pytest.fixture
def fyr_options():
    return {
        "plugins": {"enabled": ["search", "access_control"]},
        "plugin": {
            "access_control": {
                "decide_by": "smart",
                "issuers": [
                    {"issuer": "https://login.example.org", "audiences": ["fyr"]}
                ],
                "smart": {"token_endpoint": "https://login.example.org/token"},
            }
        },
    }


@pytest.fixture
def system(fyr_client):
    return fyr_client.acting_as(
        Principal("SYSTEM", "importer", scopes=frozenset({"system/*.cruds"}))
    )


@pytest.fixture
def world(system):
    """Two patients, each with a laboratory result and a measurement of vital signs."""
    made = {}
    for name in ("mine", "other"):
        person = {"resourceType": "Patient", "name": [{"family": name}]}
        made[name] = f"Patient/{system.create(person).json['id']}"
        for category in ("laboratory", "vital-signs"):
            body = observation(made[name], category)
            found = system.create(body).json["id"]
            made[f"{name} {category}"] = f"Observation/{found}"
    practitioner = {"resourceType": "Practitioner", "active": True}
    made["practitioner"] = f"Practitioner/{system.create(practitioner).json['id']}"
    return made


@pytest.fixture
def app_of(fyr_client, world):
    """Call as the app of a user with some scopes, launched for ``mine``."""

    def make(scopes, user_type="PATIENT"):
        context = {"patient": f"{BASE}/{world['mine']}"}
        return fyr_client.acting_as(
            Principal(user_type, "u", context=context, scopes=frozenset(scopes.split()))
        )

    return make


def found(answer):
    assert answer.status == 200, answer.json
    return {
        f"{one['resource']['resourceType']}/{one['resource']['id']}"
        for one in answer.json.get("entry", ())
        if one["search"]["mode"] != "outcome"
    }


def test_a_patient_scope_reads_and_finds_what_is_the_patients(app_of, world) -> None:
    app = app_of("patient/Observation.rs")

    assert app.get(world["mine laboratory"]).status == 200
    assert app.get(world["other laboratory"]).status == 403
    assert found(app.get("Observation")) == {
        world["mine laboratory"],
        world["mine vital-signs"],
    }
    assert found(app.get(f"Observation?subject={world['other']}")) == set()
    assert found(app.get(f"{world['mine']}/Observation")) == found(
        app.get("Observation")
    )
    assert app.get(f"{world['other']}/Observation").status == 403


def test_the_letters_and_types_of_a_scope_are_all_that_it_allows(app_of, world) -> None:
    app = app_of("patient/Observation.r openid launch/patient")

    assert app.get(world["mine laboratory"]).status == 200
    refused = app.get("Observation")
    assert refused.status == 403
    assert 'error="insufficient_scope"' in refused.headers["www-authenticate"]
    assert app.get(world["mine"]).status == 403
    assert app.delete(world["mine laboratory"]).status == 403
    assert app.create(observation(world["mine"])).status == 403


def test_a_scope_with_a_query_reaches_what_the_query_finds(app_of, world) -> None:
    app = app_of("patient/Observation.rs?category=laboratory")

    assert app.get(world["mine laboratory"]).status == 200
    assert app.get(world["mine vital-signs"]).status == 403
    assert found(app.get("Observation")) == {world["mine laboratory"]}
    assert found(app.get("Observation?category=vital-signs")) == set()


@pytest.mark.parametrize(
    "query", ["_include=*", "foo=bar", "self=x", "resource_type=x", "date=never"]
)
def test_a_scope_whose_query_is_no_criterion_allows_nothing(
    app_of, world, query
) -> None:
    app = app_of(f"patient/Observation.rs?{query}")

    assert app.get(world["mine laboratory"]).status == 403
    assert app.get("Observation").status in (400, 403)


def test_a_scope_may_name_resources(app_of, world) -> None:
    mine, other = (
        world[f"mine {kind}"].partition("/")[2]
        for kind in ("laboratory", "vital-signs")
    )
    app = app_of(f"patient/Observation.rs?_id={mine}")

    assert app.get(f"Observation/{mine}").status == 200
    assert app.get(f"Observation/{other}").status == 403


def test_scopes_with_queries_are_joined_where_a_search_can_say_so(
    app_of, world
) -> None:
    both = app_of(
        "patient/Observation.rs?category=laboratory"
        " patient/Observation.rs?category=vital-signs"
    )
    assert len(found(both.get("Observation"))) == 2

    unlike = app_of(
        "patient/Observation.rs?category=laboratory patient/Observation.rs?status=final"
    )
    assert unlike.get("Observation").status == 403
    assert found(unlike.get("Observation?category=laboratory")) == {
        world["mine laboratory"]
    }


@pytest.mark.parametrize("query", ["", "?category=vital-signs"])
def test_a_scope_of_the_patient_beside_a_limited_one_opens_nothing_of_others(
    app_of, world, query
) -> None:
    app = app_of(
        f"patient/Observation.rs{query} user/Observation.rs?category=laboratory",
        "PRACTITIONER",
    )
    laboratory = {world["mine laboratory"], world["other laboratory"]}
    mine = {world["mine vital-signs"]}
    mine |= set() if query else {world["mine laboratory"]}
    identity = world["mine"].removeprefix("Patient/")

    assert found(app.get("Observation?category=laboratory")) == laboratory
    for asked in (
        f"Observation?patient={identity}",
        f"Observation?subject={world['mine']}",
        f"Observation?subject={BASE}/{world['mine']}",
        f"Observation?subject:Patient={identity}",
        f"{world['mine']}/Observation",
    ):
        assert found(app.get(asked)) == mine, asked
    assert found(app.get(f"{world['other']}/Observation")) == {
        world["other laboratory"]
    }
    for asked in ("", "?category=vital-signs", f"?subject={world['other']}"):
        refused = app.get(f"Observation{asked}")
        assert refused.status == 403, asked
        wanted = f"category=laboratory or patient={world['mine']}"
        assert wanted in refused.json["issue"][0]["diagnostics"]
    total = app.get(f"Observation?patient={identity}&_summary=count").json["total"]
    assert total == len(mine)


def test_a_context_that_is_no_patient_of_ours_opens_nothing(
    fyr_client, world, system
) -> None:
    mine, read = world["mine"], world["mine laboratory"]
    scopes = frozenset({"patient/*.cruds"})
    for named in (
        f"{BASE}/Patient/nobody,{mine.removeprefix('Patient/')}",
        f"{BASE}/{mine}/_history/1",
        f"{BASE}/{mine}|1",
        f"{BASE}/{read}",
        f"{BASE}/Patient/",
        f"https://other.example.org/fhir/{mine}",
    ):
        app = fyr_client.acting_as(
            Principal("PATIENT", "u", context={"patient": named}, scopes=scopes)
        )
        for path in (read, mine, "Observation", "Observation/_history"):
            assert app.get(path).status == 403, (named, path)
        assert app.create(observation(named)).status in (400, 403), named


def test_a_limited_scope_of_what_is_no_patients_is_not_for_the_patient(
    app_of, world, system
) -> None:
    system.create({"resourceType": "Practitioner", "active": False})
    app = app_of("patient/*.rs user/Practitioner.rs?active=true", "PRACTITIONER")

    assert found(app.get("Practitioner")) == {world["practitioner"]}


def test_an_unlimited_scope_reaches_all_beside_one_of_the_patient(
    app_of, world
) -> None:
    app = app_of("patient/*.rs user/Observation.rs", "PRACTITIONER")

    assert len(found(app.get("Observation"))) == 4
    assert found(app.get("Patient")) == {world["mine"]}


def test_nothing_is_written_for_somebody_else(app_of, world, system) -> None:
    app = app_of("patient/Observation.cruds")
    own = app.create(observation(world["mine"]))
    assert own.status == 201

    assert app.create(observation(world["other"])).status == 403
    moved = {**own.json, "subject": {"reference": world["other"]}}
    assert app.put(f"Observation/{own.json['id']}", moved).status == 403
    taken = {
        **system.get(world["other laboratory"]).json,
        "subject": {"reference": world["mine"]},
    }
    assert app.put(world["other laboratory"], taken).status == 403
    assert app.delete(world["other laboratory"]).status == 403
    assert app.delete(f"Observation/{own.json['id']}").status in (200, 204)


def test_what_was_somebody_elses_stays_unseen_in_the_history(
    app_of, world, system
) -> None:
    taken = {
        **system.get(world["other laboratory"]).json,
        "subject": {"reference": world["mine"]},
    }
    system.put(world["other laboratory"], taken)
    app = app_of("patient/Observation.rs")

    assert app.get(world["other laboratory"]).status == 200
    assert app.get(f"{world['other laboratory']}/_history/1").status == 403
    assert app.get(f"{world['other laboratory']}/_history/2").status == 200


def test_a_bundle_opens_no_door(app_of, world) -> None:
    app = app_of("patient/Observation.rs")
    batch = {
        "resourceType": "Bundle",
        "type": "batch",
        "entry": [
            {"request": {"method": "GET", "url": world["mine laboratory"]}},
            {"request": {"method": "GET", "url": world["other laboratory"]}},
            {"request": {"method": "GET", "url": world["mine"]}},
        ],
    }

    answer = app.post("", batch)
    told = [one["response"]["status"][:3] for one in answer.json["entry"]]
    assert told == ["200", "403", "403"]


def test_criteria_on_other_types_tell_nothing(app_of, world) -> None:
    app = app_of("patient/Observation.rs patient/Patient.rs")

    for query in (
        "Observation?subject:Patient.family=other",
        "Patient?_has:Observation:subject:category=laboratory",
    ):
        assert app.get(query).status == 403, query


def test_includes_leave_out_what_is_not_the_patients(app_of, world, system) -> None:
    focused = observation(world["mine"], focus=[{"reference": world["other"]}])
    system.create(focused)
    app = app_of("patient/Observation.rs patient/Patient.r")

    answer = app.get("Observation?_include=Observation:focus")
    assert world["other"] not in found(answer)
    assert answer.json["entry"][-1]["search"]["mode"] == "outcome"


def test_what_belongs_to_nobody_is_read_and_not_listed(app_of, world) -> None:
    app = app_of("patient/*.rs")

    assert app.get(world["practitioner"]).status == 200
    assert app.get("Practitioner").status == 403
    assert app.create({"resourceType": "Practitioner"}).status == 403


def test_a_nurses_user_scope_reaches_all_of_a_type(app_of, world) -> None:
    nurse = app_of("user/Observation.rs", "PRACTITIONER")

    assert len(found(nurse.get("Observation"))) == 4
    assert nurse.get("Observation?subject:Patient.family=other").status == 403
    both = app_of("user/Observation.rs user/Patient.rs", "PRACTITIONER")
    assert len(found(both.get("Observation?subject:Patient.family=other"))) == 2


def test_a_citizens_user_scope_and_a_foreign_level_reach_no_further(
    app_of, world
) -> None:
    assert len(found(app_of("user/Observation.rs").get("Observation"))) == 2
    assert app_of("system/*.cruds").get("Observation").status == 403


def test_operations_and_searches_over_all_types_need_all_scopes(app_of, world) -> None:
    for scopes, user_type in (
        ("patient/*.cruds", "PATIENT"),
        ("user/*.rs", "PRACTITIONER"),
    ):
        app = app_of(scopes, user_type)
        assert app.get("?_lastUpdated=gt2000").status == 403
        assert app.post("Patient/$validate", {"resourceType": "Patient"}).status == 403
    assert app_of("user/*.cruds", "PRACTITIONER").get("?_type=Patient").status == 200


def test_apps_are_told_where_tokens_are_had(fyr_client) -> None:
    told = fyr_client.get(".well-known/smart-configuration")

    assert told.json["issuer"] == "https://login.example.org"
    assert told.json["token_endpoint"] == "https://login.example.org/token"
    assert "permission-v2" in told.json["capabilities"]


@pytest.mark.parametrize("form", ["json", "xml"])
def test_the_capability_statement_names_the_oauth_uris(fyr_client, form) -> None:
    answer = fyr_client.get(f"metadata?_format={form}")

    assert answer.status == 200
    if form == "xml":
        assert b'<valueUri value="https://login.example.org/token"/>' in answer.body
        return
    (rest,) = answer.json["rest"]
    (service,) = rest["security"]["service"]
    assert service["coding"][0]["code"] == "SMART-on-FHIR"
    assert rest["security"]["cors"] is True
    (uris,) = rest["security"]["extension"]
    assert uris["url"].endswith("/StructureDefinition/oauth-uris")
    # The deployer has told of no other.
    assert uris["extension"] == [
        {"url": "token", "valueUri": "https://login.example.org/token"}
    ]


MESSAGE = "http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-message"


def test_a_message_is_found_by_its_recipient_once_it_is_sent(
    app_of, system, world
) -> None:
    def written(status, sender="practitioner", profile=MESSAGE):
        made = {
            "resourceType": "Communication",
            "meta": {"profile": [profile]},
            "status": status,
            "subject": {"reference": world["mine"]},
            "sender": {"reference": world[sender]},
            "recipient": [{"reference": world["mine"]}],
        }
        return f"Communication/{system.create(made).json['id']}"

    draft, failed = written("preparation"), written("stopped")
    seen = {
        written("completed"),
        written("in-progress"),
        written("preparation", sender="mine"),
        written("not-done", profile="urn:another"),
    }
    app = app_of("patient/Communication.rs")

    assert found(app.get("Communication")) == seen
    assert found(app.get("Communication?status=preparation")) < seen
    assert {app.get(one).status for one in (draft, failed)} == {403}
    assert app.get(f"{draft}/_history/1").status == 403
    assert {app.get(one).status for one in seen} == {200}
    page = app.get("Communication?_count=1")
    following = next(
        one["url"] for one in page.json["link"] if one["relation"] == "next"
    )
    assert app.get(following.removeprefix(f"{BASE}/")).status == 200
