"""Plugins in the way of real requests: each hook where it promises to be asked."""

import pytest

from fyr.core import Plugin, Principal, hookimpl
from fyr.core.testing import PATIENT, PRACTITIONER

from .witness import Witness

ADA = {"resourceType": "Patient", "name": [{"family": "Lovelace", "given": ["Ada"]}]}


def entry(method, url, resource=None):
    made = {"request": {"method": method, "url": url}}
    return {**made, "resource": resource} if resource else made


def bundle(kind, *entries):
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


@pytest.fixture
def fyr_plugins():
    return {"witness": Witness}


@pytest.fixture
def witness(fyr_app) -> Witness:
    return next(one.target for one in fyr_app.plugins if one.name == "witness")


def test_a_create_meets_the_hooks_in_the_order_of_their_specifications(
    fyr_client, witness
) -> None:
    answer = fyr_client.create(ADA)

    assert answer.status == 201
    assert [hook for hook, _ in witness.seen] == [
        "request_received",
        "authenticate",
        "authorize",
        "before_interaction",
        "validate",
        "before_store",
        "stored",
        "before_show",
        "completed",
    ]


def test_an_edit_of_before_store_is_what_is_kept(fyr_client) -> None:
    created = fyr_client.create(ADA).json

    assert fyr_client.get(f"Patient/{created['id']}").json["active"] is True


def test_a_delete_meets_before_store_and_stored(fyr_client, witness) -> None:
    created = fyr_client.create(ADA).json
    witness.seen.clear()
    fyr_client.delete(f"Patient/{created['id']}")

    assert ("before_store", "delete") in witness.seen
    assert ("stored", "delete") in witness.seen


def test_a_refusal_leaves_no_version_and_no_event(fyr_client, fyr_events) -> None:
    grinch = {"resourceType": "Patient", "id": "g", "name": [{"family": "Grinch"}]}
    answer = fyr_client.update(grinch)

    assert (answer.status, answer.issues) == (422, ["no Grinch here"])
    assert fyr_client.get("Patient/g").status == 404
    assert fyr_events.all() == []


def test_a_bug_in_stored_rolls_back_and_tells_the_client_nothing(
    fyr_client, fyr_events
) -> None:
    answer = fyr_client.update(
        {"resourceType": "Patient", "id": "u", "gender": "unknown"}
    )

    assert answer.status == 500
    assert answer.json["resourceType"] == "OperationOutcome"
    assert b"secret detail" not in answer.body
    assert fyr_client.get("Patient/u").status == 404
    assert fyr_events.all() == []


def test_issues_of_validate_refuse_a_resource_and_come_with_those_of_its_structure(
    fyr_client,
) -> None:
    nobody = {"resourceType": "Patient", "name": [{"family": "Nobody"}]}
    created = fyr_client.create(nobody)
    checked = fyr_client.post("Patient/$validate", nobody)

    assert 400 <= created.status < 500
    assert created.issues == ["nobody is called that"]
    assert "nobody is called that" in checked.issues


def test_entries_of_a_bundle_are_authorized_each_and_received_once(
    fyr_client, witness
) -> None:
    answer = fyr_client.post(
        "", bundle("batch", entry("POST", "Patient", ADA), entry("GET", "Patient"))
    )

    hooks = [hook for hook, _ in witness.seen]
    assert answer.status == 200
    assert (hooks.count("request_received"), hooks.count("authenticate")) == (1, 1)
    authorized = [what for hook, what in witness.seen if hook == "authorize"]
    assert authorized[1:] == ["create", "search-type"]


def test_a_refusal_in_a_transaction_rolls_back_all_of_it(
    fyr_client, fyr_events
) -> None:
    grinch = {"resourceType": "Patient", "name": [{"family": "Grinch"}]}
    both = [entry("POST", "Patient", patient) for patient in (ADA, grinch)]
    answer = fyr_client.post("", bundle("transaction", *both))

    assert answer.status == 422
    assert answer.issues == ["no Grinch here"]
    assert fyr_events.all() == []


def test_a_batch_goes_on_after_a_refusal(fyr_client, fyr_events) -> None:
    grinch = {"resourceType": "Patient", "name": [{"family": "Grinch"}]}
    both = [entry("POST", "Patient", patient) for patient in (grinch, ADA)]
    answer = fyr_client.post("", bundle("batch", *both))

    statuses = [one["response"]["status"][:3] for one in answer.json["entry"]]
    assert statuses == ["422", "201"]
    assert len(fyr_events.all()) == 1


def test_narrow_search_hides_rows_and_the_total_agrees(fyr_client) -> None:
    fyr_client.create(ADA)
    fyr_client.create({"resourceType": "Patient", "name": [{"family": "Babbage"}]})
    found = fyr_client.acting_as(PATIENT).get("Patient", {"_total": "accurate"})

    assert found.json["total"] == len(found.resources) == 1
    assert fyr_client.get("Patient", {"_total": "accurate"}).json["total"] == 2


def test_links_of_a_narrowed_search_tell_nothing_of_how(fyr_client) -> None:
    for _ in range(2):
        fyr_client.create(ADA)
    patient = fyr_client.acting_as(PATIENT)

    first = patient.get("Patient", {"_count": "1"})
    links = {one["relation"]: one["url"] for one in first.json["link"]}
    second = patient.get(links["next"].partition("/fhir/")[2])

    assert not any("Lovelace" in url for url in links.values())
    assert second.status == 200
    assert {one["id"] for one in first.resources + second.resources} == {
        one["id"] for one in fyr_client.get("Patient", {"family": "Lovelace"}).resources
    }


def test_plugins_see_what_a_link_holds_sealed(fyr_client) -> None:
    fyr_client.create(ADA)
    fyr_client.create(ADA)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    patient = fyr_client.acting_as(PATIENT).with_headers(**form)

    first = patient.request("POST", "Patient/_search", body=b"given=Ada&_count=1")
    links = {one["relation"]: one["url"] for one in first.json["link"]}
    second = patient.get(links["next"].partition("/fhir/")[2])
    broken = patient.get("Patient?_posted=x")

    assert not any("Ada" in url or "Lovelace" in url for url in links.values())
    assert [len(one.resources) for one in (first, second)] == [1, 1]
    assert second.resources[0]["name"] == ADA["name"]
    assert broken.status == 400


def test_narrow_search_reaches_into_compartments(fyr_client) -> None:
    ada = fyr_client.create(ADA).json["id"]
    link = [{"other": {"reference": f"Patient/{ada}"}, "type": "seealso"}]
    fyr_client.create({"resourceType": "Patient", "link": link})
    path = f"Patient/{ada}/Patient"

    assert fyr_client.get(path).json["total"] == 2
    assert fyr_client.acting_as(PATIENT).get(path).json["total"] == 1


def test_who_may_not_find_everything_finds_nothing_contained(fyr_client) -> None:
    inside = {"resourceType": "Patient", "id": "p", "name": [{"family": "Lovelace"}]}
    basic = {
        "resourceType": "Basic",
        "code": {"text": "x"},
        "contained": [{**inside, "birthDate": "1815-12-10"}],
        "subject": {"reference": "#p"},
    }
    fyr_client.create(basic)
    query = {"family": "Lovelace", "_contained": "true"}

    refused = fyr_client.acting_as(PATIENT).get("Patient", query)
    found = fyr_client.acting_as(PRACTITIONER).get("Patient", query)

    assert refused.status == 403
    assert "_contained" in refused.issues[0]
    assert [one["resourceType"] for one in found.resources] == ["Basic"]


def test_before_show_masks_every_way_out(fyr_client) -> None:
    created = fyr_client.create(ADA).json
    nurse = fyr_client.acting_as(PRACTITIONER)
    path = f"Patient/{created['id']}"
    shown = [
        nurse.get(path).json,
        nurse.get(f"{path}/_history/1").json,
        *nurse.get(f"{path}/_history").resources,
        *nurse.get("Patient").resources,
        *nurse.post("", bundle("batch", entry("GET", path))).resources,
        nurse.create(ADA).json,
    ]

    assert len(shown) == 6
    assert all("name" not in one for one in shown)
    assert "name" in fyr_client.get(path).json


def test_authorize_refuses_what_the_principal_may_not_do(fyr_client) -> None:
    created = fyr_client.create(ADA).json
    answer = fyr_client.acting_as(PATIENT).delete(f"Patient/{created['id']}")

    assert (answer.status, answer.issues) == (403, ["patients delete nothing"])


def test_deliver_is_asked_after_the_commit_in_the_order_of_commits(
    fyr_client, fyr_events, witness
) -> None:
    created = fyr_client.create(ADA).json
    fyr_client.update(created)
    witness.seen.clear()
    delivered = fyr_events.deliver()

    assert delivered == 2
    assert witness.seen == [("deliver", "POST Patient"), ("deliver", "PUT Patient")]


def test_completed_is_told_of_refusals_too(fyr_client, witness) -> None:
    fyr_client.get("Patient/nobody")

    assert witness.seen[-1] == ("completed", 404)


def test_an_operation_refuses_like_any_interaction(fyr_client) -> None:
    answer = fyr_client.post("$store-twice", {"resourceType": "Parameters"})

    assert answer.status == 422


def test_a_public_route_needs_nobody_and_another_asks_authorize(
    fyr_client, witness
) -> None:
    public = fyr_client.get("/witness/hello")
    asked = [hook for hook, _ in witness.seen if hook == "authorize"]
    inside = fyr_client.get("/witness/inside")

    assert (public.status, asked, inside.status) == (200, [], 200)
    assert ("authorize", "route") in witness.seen


class TestFailing:
    """A plugin that breaks where its failures are isolated."""

    @pytest.fixture
    def fyr_plugins(self):
        class Broken(Plugin):
            @hookimpl
            def request_received(self):
                raise OSError("its disk is full")

        return {"broken": Broken}

    @pytest.fixture
    def fyr_options(self):
        return {"plugins": {"quarantine_after": 2}}

    def test_requests_go_on_and_quarantine_is_told(self, fyr_client, fyr_clock) -> None:
        statuses = [fyr_client.create(ADA).status for _ in range(3)]
        told = {
            one["name"]: one for one in fyr_client.get("/admin/plugins").json["plugins"]
        }
        ready = fyr_client.get("/health/ready")
        fyr_clock.advance(seconds=61)
        later = fyr_client.get("/health/ready")

        assert statuses == [201, 201, 201]
        assert (told["broken"]["state"], told["broken"]["failures"]) == (
            "quarantined",
            2,
        )
        assert (ready.json["status"], later.json["status"]) == ("degraded", "ok")


class TestClosed:
    """A server that knows its callers only from a plugin."""

    @pytest.fixture
    def fyr_options(self):
        return {"security": {"mode": "closed"}}

    @pytest.fixture
    def fyr_plugins(self):
        class Badge(Plugin):
            @hookimpl
            def authenticate(self, context):
                if context.authorization == "Badge 7":
                    return Principal("PRACTITIONER", "7")
                return None

        return {"badge": Badge}

    def test_nobody_gets_in_without_being_known(self, fyr_client) -> None:
        assert fyr_client.create(ADA).status == 401
        assert (
            fyr_client.with_headers(Authorization="Badge 8").create(ADA).status == 401
        )

    def test_whom_a_plugin_knows_gets_in(self, fyr_client) -> None:
        assert (
            fyr_client.with_headers(Authorization="Badge 7").create(ADA).status == 201
        )
