"""Who wrote, called and was refused what; a bundle by its entries."""

from fyr.core.model.validation import problems

from .words import BASE, entities, patients, touched


def test_writes_are_told_with_what_became_of_the_resource(nurse, log) -> None:
    of = {
        "status": "final",
        "code": {"text": "x"},
        "subject": {"reference": "Patient/bo"},
    }
    observation = {"resourceType": "Observation", "id": "new", **of}
    nurse.update(observation)
    nurse.update({**observation, "status": "amended"})
    nurse.delete("Observation/new")

    told = [(one["action"], touched(one), patients(one)) for one in log.all()]
    bo = [f"{BASE}/Patient/bo"]
    assert told == [
        ("U", [("create", "Observation/new/_history/1")], bo),
        ("U", [("update", "Observation/new/_history/2")], bo),
        ("D", [("delete", "Observation/new/_history/3")], bo),
    ]


def test_an_attempt_that_was_denied_is_told_as_a_failure(nurse, log) -> None:
    assert nurse.get("Condition/1").status == 403
    assert nurse.get("Observation/nobody").status == 404

    denied, missing = log.all()
    assert [one["outcome"] for one in (denied, missing)] == ["4", "4"]
    assert denied["outcomeDesc"] == "Condition"
    (asked,) = entities(denied, "4")
    assert asked["what"]["reference"] == f"{BASE}/Condition/1"
    assert "lifecycle" not in asked
    assert problems(denied) == []


def test_who_asks_too_often_leaves_no_trace_in_the_log(nurse, log) -> None:
    assert nurse.get("Group").status == 429
    assert log.all() == []


def test_each_entry_of_a_bundle_is_told_on_its_own(nurse, log) -> None:
    entries = [
        {"request": {"method": "GET", "url": "Patient/ada"}},
        {"request": {"method": "GET", "url": "Condition/1"}},
        {
            "request": {"method": "POST", "url": "Basic"},
            "resource": {"resourceType": "Basic", "code": {"text": "x"}},
        },
    ]
    nurse.post("", {"resourceType": "Bundle", "type": "batch", "entry": entries})
    transaction = [entries[0], entries[2]]
    nurse.post(
        "", {"resourceType": "Bundle", "type": "transaction", "entry": transaction}
    )

    events = log.all()
    told = sorted((one["subtype"][0]["code"], one["outcome"]) for one in events)
    assert told == [
        ("create", "0"),
        ("create", "0"),
        ("read", "0"),
        ("read", "0"),
        ("read", "4"),
    ]
    traces = {entities(one, "21")[0]["what"]["identifier"]["value"] for one in events}
    assert len(traces) == 2


def test_a_transaction_that_fails_leaves_one_event_and_no_other(nurse, log) -> None:
    entries = [
        {
            "request": {"method": "PUT", "url": f"Basic/{name}"},
            "resource": {"resourceType": "Basic", "id": name, "code": {"text": "x"}},
        }
        for name in ("a", "b")
    ]
    entries[1]["request"]["ifMatch"] = 'W/"3"'
    answer = nurse.post(
        "", {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    )

    event = log.one()
    assert answer.status == 412
    assert (event["action"], event["outcome"]) == ("E", "4")
    assert event["subtype"][0]["code"] == "transaction"


def test_an_operation_is_told_by_its_name_with_all_that_it_touched(nurse, log) -> None:
    made = nurse.post("Patient/ada/$note", {"resourceType": "Parameters"}).json

    event = log.one()
    assert (event["action"], event["subtype"][0]["code"]) == ("E", "note")
    assert patients(event) == [f"{BASE}/Patient/ada"]
    assert touched(event) == [
        ("read", "Patient/ada/_history/1"),
        ("create", f"Basic/{made['id']}/_history/1"),
    ]
