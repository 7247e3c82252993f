"""What the server does of its own accord: the way of a request, all or nothing."""

import pytest

from fyr.core import Conflict, Forbidden, Invalid, Operation, Plugin, Refused, hookimpl
from fyr.core.interactions.acting import Acting
from fyr.core.testing import PATIENT

ADA = {"resourceType": "Patient", "name": [{"family": "Lovelace"}]}
WEIGHT = {
    "resourceType": "Observation",
    "status": "final",
    "code": {"text": "weight"},
    "valueQuantity": {"value": 81.50, "unit": "kg"},
}


class Gate(Plugin):
    """Refuses what is called Grinch, and has patients store by an operation only."""

    def start(self, application):
        self.application = application
        self.asked = []

    @hookimpl
    def authorize(self, context):
        self.asked.append((context.principal.user_type, context.interaction))
        inside = context.parent is not None and context.parent.operation == "weigh"
        if context.principal.user_type == "PATIENT" and context.interaction == "create":
            if not inside:
                raise Forbidden("patients are weighed")

    @hookimpl
    def before_store(self, new):
        if new and new.get("name", [{}])[0].get("family") == "Grinch":
            raise Refused("no Grinch here")

    @hookimpl
    def register_operations(self):
        def weigh(call):
            call.on_behalf().create(WEIGHT)
            call.acting().create({"resourceType": "Basic", "code": {"text": "weighed"}})

        yield Operation("weigh", weigh, frozenset({"system"}), affects_state=True)


@pytest.fixture
def fyr_plugins():
    return {"gate": Gate}


@pytest.fixture
def fyr_options():
    return {"plugins": {"enabled": ["search", "gate", "test-principals"]}}


def test_what_it_stores_is_read_by_clients_and_told_as_a_change(fyr_app, fyr_client):
    ada = fyr_app.act(lambda acting: acting.create(ADA))

    shown = fyr_client.get(f"Patient/{ada['id']}")
    assert (shown.status, shown.json) == (200, ada)
    (told,) = fyr_app.outbox.read(0, 10)
    assert (told.subject, told.version) == (f"Patient/{ada['id']}", 1)


def test_many_are_stored_at_once_and_may_refer_to_each_other(fyr_app):
    def work(acting):
        patient = {**ADA, "id": acting.new_id()}
        subject = {"reference": f"Patient/{patient['id']}"}
        return acting.store([patient, {**WEIGHT, "subject": subject}])

    patient, weight = fyr_app.act(work)

    found = fyr_app.act(
        lambda acting: acting.find(
            "Observation", ("subject", f"Patient/{patient['id']}")
        )
    )
    assert found == [weight]


def test_one_that_is_refused_takes_all_with_it(fyr_app):
    grinch = {"resourceType": "Patient", "name": [{"family": "Grinch"}]}

    with pytest.raises(Refused, match="no Grinch here"):
        fyr_app.act(lambda acting: acting.store([ADA, grinch]))

    assert fyr_app.act(lambda acting: acting.find("Patient")) == []


def test_all_that_is_malformed_is_told_at_once(fyr_app):
    wrong = [{**ADA, "gender": 1}, ADA, {**ADA, "birthDate": "yesterday"}]

    with pytest.raises(Invalid) as caught:
        fyr_app.act(lambda acting: acting.store(wrong))

    places = {place for issue in caught.value.issues for place in issue.expression}
    assert places == {
        "Bundle.entry[0].resource.gender",
        "Bundle.entry[2].resource.birthDate",
    }


def test_it_sees_what_its_transaction_has_stored_and_all_of_a_search(fyr_app):
    def work(acting):
        acting.store([WEIGHT] * 450)
        return len(acting.find("Observation", ("status", "final")))

    assert fyr_app.act(work) == 450


def test_all_that_a_search_finds_is_looked_at_by_rising_age(fyr_app):
    people = [{"resourceType": "Patient", "gender": "female"} for _ in range(250)]
    stored = fyr_app.act(lambda acting: acting.store([*people, ADA]))
    acting = Acting(fyr_app.interactions)

    found = [one["id"] for one in acting.scan("Patient", ("gender", "female"))]

    assert found == [one["id"] for one in stored[:-1]]


def test_all_digits_are_kept_from_version_to_version(fyr_app, fyr_client):
    made = fyr_client.post(
        "Observation",
        b'{"resourceType":"Observation","status":"final",'
        b'"code":{"text":"x"},"valueQuantity":{"value":81.50}}',
    ).json

    def amend(acting):
        (weight,) = acting.hold(f"Observation/{made['id']}")
        weight["status"] = "amended"
        return acting.update(weight)

    fyr_app.act(amend)

    shown = fyr_client.get(f"Observation/{made['id']}")
    assert b'"value":81.50' in shown.body


def test_what_somebody_else_has_changed_since_is_not_stored_over(fyr_app):
    ada = fyr_app.act(lambda acting: acting.create(ADA))
    fyr_app.act(lambda acting: acting.update({**ada, "active": True}))

    with pytest.raises(Conflict, match=f"Patient/{ada['id']} has been changed"):
        fyr_app.act(lambda acting: acting.update({**ada, "active": False}))


def test_a_version_is_read_by_the_reference_that_names_it(fyr_app):
    ada = fyr_app.act(lambda acting: acting.create(ADA))
    fyr_app.act(lambda acting: acting.update({**ada, "active": True}))
    here = f"Patient/{ada['id']}"

    def work(acting):
        return (
            acting.vread(f"{here}/_history/1"),
            acting.vread(here)["active"],
            acting.vread(f"{here}/_history/3"),
            acting.vread(f"{here}/_history/x"),
            acting.read(f"{here}/_history/1")["active"],
        )

    assert fyr_app.act(work) == (ada, True, None, None, True)


def test_what_is_deleted_is_no_longer_read(fyr_app, fyr_client):
    ada = fyr_app.act(lambda acting: acting.create(ADA))

    fyr_app.act(lambda acting: acting.delete(f"Patient/{ada['id']}"))

    assert fyr_app.act(lambda acting: acting.read(f"Patient/{ada['id']}")) is None
    assert fyr_client.get(f"Patient/{ada['id']}").status == 410


def test_an_operation_stores_with_the_rights_of_its_caller_or_as_fyr(
    fyr_app, fyr_client
):
    patient = fyr_client.acting_as(PATIENT)
    refused = patient.post("Observation", WEIGHT)
    done = patient.post("$weigh", {"resourceType": "Parameters"})

    assert (refused.status, done.status) == (403, 204)
    asked = next(p.target for p in fyr_app.plugins if p.name == "gate").asked
    assert asked[-2:] == [("PATIENT", "create"), ("SYSTEM", "create")]


def test_a_transaction_that_is_running_takes_it_along(fyr_app):
    class Enough(Exception):
        pass

    def work(session):
        fyr_app.act_within(session, lambda acting: acting.create(ADA))
        raise Enough

    with pytest.raises(Enough):
        fyr_app.database.write(work)

    assert fyr_app.act(lambda acting: acting.find("Patient")) == []


def test_without_a_transaction_it_reads_and_stores_nothing(fyr_app):
    ada = fyr_app.act(lambda acting: acting.create(ADA))
    reading = Acting(fyr_app.interactions)

    assert reading.find("Patient") == [reading.read(f"Patient/{ada['id']}")] == [ada]
    with pytest.raises(ValueError, match="without a transaction"):
        reading.create(ADA)


def test_nobody_acts_as_the_caller_of_nothing(fyr_app):
    with pytest.raises(ValueError, match="no caller"):
        Acting(fyr_app.interactions, as_caller=True)


def test_what_was_checked_before_a_transaction_is_stored_within_one(fyr_app):
    before = Acting(fyr_app.interactions)
    ada = {**ADA, "id": before.new_id()}
    writes = before.receive([ada, WEIGHT])

    stored = fyr_app.act(lambda acting: acting.store_received(writes))

    assert [one.version for one in stored] == [1, 1]
    assert fyr_app.act(lambda acting: acting.read(f"Patient/{ada['id']}"))


def test_what_is_malformed_is_refused_before_the_transaction(fyr_app):
    with pytest.raises(Invalid):
        Acting(fyr_app.interactions).receive([{**ADA, "active": "perhaps"}])


def test_it_tells_the_current_version_without_reading_it(fyr_app):
    ada = fyr_app.act(lambda acting: acting.create(ADA))
    name = f"Patient/{ada['id']}"
    fyr_app.act(lambda acting: acting.update(ada))

    assert fyr_app.act(lambda acting: acting.version(name)) == 2
    fyr_app.act(lambda acting: acting.delete(name))
    assert fyr_app.act(lambda acting: acting.version(name)) == 0
    assert fyr_app.act(lambda acting: acting.version("Patient/none")) == 0


def test_it_reads_many_at_once_and_keeps_those_that_are_as_they_were_known(fyr_app):
    ada = fyr_app.act(lambda acting: acting.create(ADA))
    name = f"Patient/{ada['id']}"

    def kept(**known):
        return fyr_app.act(lambda acting: acting.keep({name: 1, **known}))

    read = fyr_app.act(lambda acting: acting.read_each([name, "Patient/none"]))
    assert read == {name: ada, "Patient/none": None}
    assert fyr_app.act(lambda acting: acting.read_each([])) == {}
    assert kept()
    assert kept(**{"Patient/none": 0})
    assert not kept(**{"Patient/none": 1})
    fyr_app.act(lambda acting: acting.delete(name))
    assert not kept()
    assert fyr_app.act(lambda acting: acting.read_each([name])) == {name: None}
    assert fyr_app.act(lambda acting: acting.keep({name: 0}))


def test_what_is_found_is_gone_through_in_its_order(fyr_app):
    names = ["Berg", "Abel", "Carl"]
    resources = [{**ADA, "name": [{"family": name}]} for name in names]
    fyr_app.act(lambda acting: acting.store(resources))

    found = Acting(fyr_app.interactions).each("Patient", ("_sort", "family"))

    assert [one["name"][0]["family"] for one in found] == sorted(names)
