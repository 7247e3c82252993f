"""The audit log of requests over HTTP: what each leaves behind as AuditEvents."""

import json
from base64 import b64decode
from dataclasses import replace

import pytest

from fyr.core import Forbidden, Operation, Plugin, RequestContext, hookimpl
from fyr.core.errors import TooManyRequests
from fyr.core.hooks.errors import PluginError
from fyr.core.interactions import Incoming
from fyr.core.messages import sent_as
from fyr.core.model.validation import problems
from fyr.core.testing import PluginContract
from fyr.core.testing.applications import application, settings_with
from fyr.core.testing.principals import PATIENT, PRACTITIONER, SYSTEM_USER

BASE = "http://localhost/fhir"
NURSE = replace(PRACTITIONER, user_id="https://org.example.org/fhir/Practitioner/9")
CPR = "2603200001"
LIFECYCLES = {"1": "create", "3": "update", "6": "read", "14": "delete"}


def note(call):
    """Read the subject of the call and write a Basic about it."""
    patient = call.subject()
    context = RequestContext(
        call.context.service, "create", "Basic", parent=call.context
    )
    subject = {"reference": f"Patient/{patient['id']}"}
    basic = {"resourceType": "Basic", "code": {"text": "x"}, "subject": subject}
    return call.interactions.create(context, Incoming(basic)).resource()


class Closed(Plugin):
    """Shows nobody a Condition, has enough of Groups, and offers an operation."""

    @hookimpl
    def authorize(self, context):
        if context.resource_type == "Group":
            raise TooManyRequests("later")
        if context.resource_type == "Condition":
            raise Forbidden("not yours")

    @hookimpl
    def register_operations(self):
        yield Operation("note", note, frozenset({"instance"}), affects_state=True)


class Log:
    """The file of an audit log, in short."""

    def __init__(self, app):
        self._app = app
        self._path = app.settings.data_dir / "audit.jsonl"

    def all(self):
        """Tell the AuditEvents, once the worker has made them."""
        self._app.worker().drain()
        if not self._path.exists():
            return []
        return [json.loads(line) for line in self._path.read_text().splitlines()]

    def text(self):
        self.all()
        return self._path.read_text()

    def one(self):
        (event,) = self.all()
        return event


def entities(event, role):
    return [one for one in event["entity"] if one["role"]["code"] == role]


def patients(event):
    return [one["what"]["reference"] for one in entities(event, "1")]


def touched(event):
    return [
        (
            LIFECYCLES[one["lifecycle"]["code"]],
            one["what"]["reference"].removeprefix(f"{BASE}/"),
        )
        for one in entities(event, "4")
    ]


def query(event):
    (one,) = entities(event, "24")
    return json.loads(b64decode(one["query"]))


@pytest.fixture
def fyr_plugins():
    return {"closed": Closed}


@pytest.fixture
def fyr_options():
    return {"plugins": {"enabled": ["search", "audit"]}}


@pytest.fixture
def log(fyr_app):
    return Log(fyr_app)


@pytest.fixture
def nurse(fyr_client, log):
    """A nurse's client, with two patients who have a measurement each."""
    for number, name in enumerate(["ada", "bo"]):
        identifier = {
            "system": "urn:oid:1.2.208.176.1.2",
            "value": f"260320000{number}",
        }
        fyr_client.update(
            {"resourceType": "Patient", "id": name, "identifier": [identifier]}
        )
        fyr_client.update(
            {
                "resourceType": "Observation",
                "id": f"of-{name}",
                "status": "final",
                "code": {"text": "pulse"},
                "subject": {"reference": f"Patient/{name}"},
            }
        )
    assert log.all() == []
    return fyr_client.acting_as(NURSE)


def test_a_read_tells_who_saw_what_of_whom_for_which_organization(nurse, log) -> None:
    answer = nurse.get("Observation/of-ada")

    event = log.one()
    (agent,) = event["agent"]
    assert event["type"]["code"] == "rest"
    assert [one["code"] for one in event["subtype"]] == ["read"]
    assert (event["action"], event["outcome"]) == ("R", "0")
    assert event["outcomeDesc"] == "Observation"
    assert event["recorded"].endswith("+00:00")
    assert agent["requestor"] is True
    assert agent["who"] == {
        "type": "Practitioner",
        "identifier": {"system": "http://ehealth.sundhed.dk", "value": NURSE.user_id},
    }
    assert [one["valueReference"]["reference"] for one in agent["extension"]] == [
        NURSE.context["organization"]
    ]
    assert agent["network"] == {"address": "127.0.0.1", "type": "2"}
    assert event["source"]["observer"]["identifier"]["value"] == BASE
    assert patients(event) == [f"{BASE}/Patient/ada"]
    assert touched(event) == [("read", "Observation/of-ada/_history/1")]
    (trace,) = entities(event, "21")
    assert trace["type"]["code"] == "2"
    assert trace["what"]["identifier"]["value"] == answer.headers["x-request-id"]
    assert problems(event) == []


def test_a_search_over_two_patients_leaves_one_event_for_each(nurse, log) -> None:
    nurse.get("Observation?status=final&_include=Observation:subject")

    ada, bo = log.all()
    assert [patients(one) for one in (ada, bo)] == [
        [f"{BASE}/Patient/ada"],
        [f"{BASE}/Patient/bo"],
    ]
    assert touched(ada) == [
        ("read", "Observation/of-ada/_history/1"),
        ("read", "Patient/ada/_history/1"),
    ]
    assert {one["subtype"][0]["code"] for one in (ada, bo)} == {"search-type"}
    assert query(ada) == query(bo)
    assert query(ada)["status"] == "final"
    assert ada["id"] != bo["id"]
    assert [problems(one) for one in (ada, bo)] == [[], []]


def test_a_search_that_finds_nothing_is_told_with_its_query(nurse, log) -> None:
    nurse.get("Observation?status=registered")

    event = log.one()
    assert query(event) == {"status": "registered"}
    assert patients(event) == []
    assert touched(event) == []


@pytest.mark.parametrize(
    "number", [CPR, "260320-0001", f"urn:oid:1.2.208.176.1.2|{CPR}"]
)
def test_a_cpr_number_that_was_searched_for_is_masked(nurse, log, number) -> None:
    found = nurse.post(
        "Patient/_search",
        f"identifier={number}".encode(),
        Content_Type="application/x-www-form-urlencoded",
    )

    assert found.status == 200
    assert query(log.all()[0])["identifier"].endswith("xxxxxxxxxx")
    assert "0001" not in str([query(one) for one in log.all()])
    kept = [change.payload_json for change in log._app.outbox.tail(0)]
    assert not any(CPR in (one or "") or "260320-0001" in (one or "") for one in kept)


def test_no_token_and_no_content_gets_into_the_log(nurse, log) -> None:
    nurse.get("Observation?access_token=abcdef")
    nurse.create(
        {
            "resourceType": "Observation",
            "status": "final",
            "code": {"text": "very private"},
            "subject": {"reference": "Patient/ada"},
        }
    )

    kept = log.text() + "".join(
        change.payload_json or "" for change in log._app.outbox.tail(0)
    )
    assert len(log.all()) == 2
    assert "abcdef" not in kept
    assert "very private" not in kept
    assert "FyrTest" not in kept


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


def test_a_denied_attempt_tells_whose_data_was_asked_for(nurse, log) -> None:
    nurse.with_headers(If_Match='W/"7"').delete("Observation/of-ada")

    assert patients(log.one()) == [f"{BASE}/Patient/ada"]


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


@pytest.mark.parametrize("path", ["Patient/ada", "Patient?name=Lovelace"])
def test_who_asks_for_headers_only_is_told_of_too(nurse, log, path) -> None:
    """The length of an answer tells what is in it."""
    assert nurse.request("HEAD", path).status == 200

    assert log.one()["action"] in ("R", "E")


def test_a_citizen_is_told_of_too_and_systems_are_not(nurse, fyr_client, log) -> None:
    fyr_client.acting_as(SYSTEM_USER).get("Patient/ada")
    fyr_client.get("Patient/ada")
    nurse.get("metadata")
    assert log.all() == []

    fyr_client.acting_as(PATIENT).get("Patient/ada")

    assert log.one()["agent"][0]["who"]["type"] == "Patient"


def test_patients_are_found_by_way_of_the_episode_of_care(nurse, log) -> None:
    episode = {"resourceType": "EpisodeOfCare", "id": "e", "status": "active"}
    nurse.update({**episode, "patient": {"reference": "Patient/bo"}})
    url = "http://example.org/episode"
    extension = {"url": url, "valueReference": {"reference": "EpisodeOfCare/e"}}
    nurse.create(
        {"resourceType": "Basic", "code": {"text": "x"}, "extension": [extension]}
    )

    assert [patients(one) for one in log.all()] == [[f"{BASE}/Patient/bo"]] * 2


def test_what_belongs_to_nobody_stands_apart(nurse, log) -> None:
    nurse.update({"resourceType": "Organization", "id": "o", "name": "x"})
    nurse.update(
        {
            "resourceType": "Patient",
            "id": "cy",
            "managingOrganization": {"reference": "Organization/o"},
        }
    )
    before = len(log.all())

    nurse.get("Patient?_id=cy&_include=Patient:organization")

    cy, nobody = log.all()[before:]
    assert touched(cy) == [("read", "Patient/cy/_history/1")]
    assert patients(nobody) == []
    assert touched(nobody) == [("read", "Organization/o/_history/1")]


def test_a_patient_of_another_server_is_told_with_that_servers_url(nurse, log) -> None:
    there = "https://patient.example.org/fhir/Patient/ada"
    nurse.create(
        {
            "resourceType": "Basic",
            "code": {"text": "x"},
            "subject": {"reference": there},
        }
    )

    assert patients(log.one()) == [there]


def test_the_broker_is_told_what_the_file_holds(nurse, fyr_app, log) -> None:
    nurse.get("Observation?status=final")

    (source,) = [one for one in fyr_app.publishing.sources if "audit" in one.name]
    messages = [
        message
        for change in fyr_app.outbox.tail(0)
        for message in sent_as(source, change)
    ]

    assert {message.topic for message in messages} == {"virtual.ehealth-auditevent"}
    assert [json.loads(message.payload) for message in messages] == log.all()


def test_a_batch_is_kept_in_one_transaction(nurse, fyr_app, log) -> None:
    commits = []
    write = fyr_app.database.write
    fyr_app.database.write = lambda work: commits.append(1) or write(work)
    entry = {"request": {"method": "GET", "url": "Patient/ada"}}

    nurse.post("", {"resourceType": "Bundle", "type": "batch", "entry": [entry] * 9})

    assert len(commits) == 1
    assert len(log.all()) == 9


def test_a_worker_that_repeats_itself_tells_the_same_again(nurse, log) -> None:
    nurse.get("Observation?status=final")
    once = log.all()

    log._app.database.write(
        lambda session: session.run(
            "UPDATE consumer SET position = 0 WHERE name = 'audit-file'"
        )
    )

    twice = log.all()
    assert twice == once + once


class TestConformance(PluginContract):
    plugin = "audit"
    private_imports = frozenset(
        {
            "fyr.config.settings",
            "fyr.core.app",
            "fyr.core.context",
            "fyr.core.events",
            "fyr.core.hooks.errors",
            "fyr.core.interactions",
            "fyr.core.lines",
            "fyr.core.model",
            "fyr.core.model.resource",
            "fyr.core.searching",
            "fyr.core.store.resources",
        }
    )


class TestStored:
    @pytest.fixture
    def fyr_options(self):
        return {
            "plugins": {"enabled": ["search", "audit"]},
            "plugin": {"audit": {"store": True, "user_types": ["SYSTEM"]}},
        }

    def test_each_event_is_kept_once_as_a_resource(self, fyr_client, fyr_app) -> None:
        fyr_client.update({"resourceType": "Patient", "id": "ada"})
        fyr_app.worker().drain()
        fyr_app.database.write(
            lambda session: session.run(
                "UPDATE consumer SET position = 0 WHERE name = 'audit-store'"
            )
        )
        fyr_app.worker().drain()

        kept = fyr_client.get("AuditEvent").resources
        assert [one["action"] for one in kept] == ["U"]
        assert kept[0]["meta"]["versionId"] == "1"
        assert [one["id"] for one in kept] == [
            one["id"] for one in Log(fyr_app).all()[:1]
        ]

    def test_it_is_found_by_its_patient(self, fyr_client, fyr_app) -> None:
        fyr_client.update({"resourceType": "Patient", "id": "ada"})
        fyr_client.update({"resourceType": "Patient", "id": "bo"})
        fyr_app.worker().drain()

        found = fyr_client.get("AuditEvent?entity=Patient/ada").resources

        references = [one["what"].get("reference") for one in found[0]["entity"]]
        assert len(found) == 1
        assert references[1:] == ["Patient/ada", "Patient/ada/_history/1"]

    def test_nobody_writes_or_deletes_what_is_kept(self, fyr_client, fyr_app) -> None:
        fyr_client.update({"resourceType": "Patient", "id": "ada"})
        fyr_app.worker().drain()
        (kept,) = fyr_client.get("AuditEvent").resources
        path = f"AuditEvent/{kept['id']}"
        entry = {"request": {"method": "DELETE", "url": path}}

        answers = [
            fyr_client.create({**kept, "id": "forged"}),
            fyr_client.update({**kept, "outcome": "8"}),
            fyr_client.delete(path),
            fyr_client.post(
                "", {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
            ),
        ]

        assert {one.status for one in answers} == {403}
        assert fyr_client.get(path).json == kept


class TestMinLog:
    @pytest.fixture
    def fyr_options(self):
        settings = {"minlog_file": "minlog.jsonl", "internal": ["Basic"]}
        return {
            "plugins": {"enabled": ["search", "audit"]},
            "plugin": {"audit": settings},
        }

    def test_it_is_told_which_professional_saw_data_of_which_citizen(
        self, nurse, fyr_client, fyr_app, log
    ) -> None:
        nurse.get("Observation/of-bo")
        nurse.get("Condition/1")
        fyr_client.acting_as(PATIENT).get("Observation/of-bo")
        subject = {"reference": "Patient/bo"}
        elsewhere = {"reference": "https://patient.example.org/fhir/Patient/bo"}
        nurse.create(
            {
                "resourceType": "Flag",
                "status": "active",
                "code": {"text": "x"},
                "subject": elsewhere,
            }
        )
        nurse.create(
            {"resourceType": "Basic", "code": {"text": "x"}, "subject": subject}
        )

        events = log.all()
        (line,) = (fyr_app.settings.data_dir / "minlog.jsonl").read_text().splitlines()
        assert json.loads(line) == {
            "citizen": "2603200001",
            "professional": NURSE.user_id,
            "organization": NURSE.context["organization"],
            "activity": "read Observation",
            "time": events[0]["recorded"],
            "system": BASE,
        }
        assert events[-1]["purposeOfEvent"][0]["coding"][0]["code"] == (
            "INTERNAL_AUDIT_ONLY"
        )


#: A database that takes no more rows of the audit log.
FULL = """
    CREATE TRIGGER full BEFORE INSERT ON outbox WHEN NEW.topic = 'audit.request'
    BEGIN SELECT RAISE(ABORT, 'full'); END
"""


class TestADatabaseThatTakesNoMore:
    @pytest.fixture(params=[True, False])
    def required(self, request):
        return request.param

    @pytest.fixture
    def fyr_options(self, required):
        return {
            "plugins": {"enabled": ["search", "audit"]},
            "plugin": {"audit": {"required": required}},
        }

    @pytest.fixture(autouse=True)
    def is_full(self, nurse, fyr_app):
        fyr_app.database.write(lambda session: session.run(FULL))

    def test_nothing_is_shown_that_must_be_audited(self, nurse, required) -> None:
        paths = ("Patient/ada", "Patient", "Patient/ada/_history")
        answers = [nurse.get(path) for path in paths]

        assert {one.status for one in answers} == ({503} if required else {200})
        assert not required or "audit log" in answers[0].issues[0]

    def test_nothing_is_written_without_its_row_either_way(self, nurse) -> None:
        answer = nurse.update({"resourceType": "Patient", "id": "cy"})

        assert answer.status >= 400
        assert nurse.get("Patient/cy").status == 404

    def test_what_is_refused_is_refused_as_ever(self, nurse) -> None:
        assert nurse.get("Condition/1").status == 403

    def test_those_who_are_not_audited_notice_nothing(self, fyr_client) -> None:
        assert fyr_client.get("Patient/ada").status == 200


class TestBuffered:
    @pytest.fixture
    def fyr_options(self):
        settings = {"durable": False, "flush_seconds": 60, "buffer": 2}
        return {
            "plugins": {"enabled": ["search", "audit"]},
            "plugin": {"audit": settings},
        }

    def test_what_waits_is_kept_when_the_server_stops(
        self, fyr_settings, fyr_clock, tmp_path
    ) -> None:
        url = {"url": f"sqlite://{tmp_path}/fyr.db"}
        options = {
            "plugins": fyr_settings.plugins.model_dump(),
            "plugin": fyr_settings.plugin,
            "store": url,
        }
        settings = settings_with(options, tmp_path / "data")
        from fyr.core.testing.applications import client_of

        with application(settings, fyr_clock) as first:
            client_of(first).acting_as(NURSE).get("Patient")
        with application(settings, fyr_clock) as second:
            assert Log(second).one()["subtype"][0]["code"] == "search-type"

    def test_requests_are_refused_when_too_many_wait(self, nurse, log) -> None:
        answers = [nurse.get("Patient/ada").status for _ in range(4)]

        assert answers == [200, 200, 503, 503]

    def test_a_write_is_kept_with_its_event_at_once(self, nurse, log) -> None:
        nurse.update({"resourceType": "Patient", "id": "ada"})

        assert log.one()["action"] == "U"


class TestNotRequired:
    @pytest.fixture
    def fyr_options(self):
        settings = {"durable": False, "required": False, "buffer": 1}
        return {
            "plugins": {"enabled": ["search", "audit"]},
            "plugin": {"audit": {**settings, "flush_seconds": 60}},
        }

    def test_requests_are_answered_that_cannot_be_audited(self, nurse) -> None:
        assert {nurse.get("Patient/ada").status for _ in range(3)} == {200}


def test_a_log_that_nobody_would_be_told_of_stops_the_start(
    fyr_clock, tmp_path
) -> None:
    options = {
        "plugins": {"enabled": ["audit"]},
        "plugin": {"audit": {"file": None}},
    }

    with (
        pytest.raises(PluginError, match="nobody would be told"),
        application(settings_with(options, tmp_path), fyr_clock),
    ):
        pass


@pytest.mark.parametrize("strangers", [True, False])
class TestStrangers:
    @pytest.fixture
    def fyr_options(self, strangers):
        return {
            "security": {"mode": "closed"},
            "plugins": {"enabled": ["search", "audit"]},
            "plugin": {"audit": {"strangers": strangers}},
        }

    def test_a_request_of_nobody_known_leaves_a_trace_where_it_is_wished(
        self, fyr_client, log, strangers
    ) -> None:
        for path in ("Patient/ada", "metadata"):
            fyr_client.get(path)

        events = log.all()

        assert len(events) == (1 if strangers else 0)
        for event in events:
            (agent,) = event["agent"]
            assert agent["who"]["identifier"]["value"] == "unknown"
            assert event["outcome"] == "4"
            assert patients(event) == []
