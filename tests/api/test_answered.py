"""What the hook ``answered`` is told of each way in, over HTTP."""

import pytest

from fyr.core import Forbidden, Operation, Plugin, RequestContext, Unavailable, hookimpl
from fyr.core.interactions import Incoming


def touch(call):
    """Read its subject, and write a Basic, which it answers."""
    call.subject()
    context = RequestContext(
        call.context.service, "create", "Basic", parent=call.context
    )
    basic = {"resourceType": "Basic", "code": {"text": "touched"}}
    return call.interactions.create(context, Incoming(basic)).resource()


class Notes(Plugin):
    """Keeps what it is told, and refuses when it is to."""

    def __init__(self, settings):
        super().__init__(settings)
        self.told = []
        self.full = False

    @hookimpl
    def answered(self, context, session, status, touched):
        if self.full:
            raise Unavailable("there is no room for notes")
        keys = [f"{one.how} {one.type}/{one.id}/{one.version}" for one in touched]
        self.told.append((context.interaction, status, session is not None, keys))

    @hookimpl
    def register_operations(self):
        yield Operation("touch", touch, frozenset({"instance"}), affects_state=True)


@pytest.fixture
def fyr_plugins():
    return {"notes": Notes}


@pytest.fixture
def notes(fyr_app):
    return next(one.target for one in fyr_app.plugins if one.name == "notes")


@pytest.fixture
def ada(fyr_client, notes):
    fyr_client.update({"resourceType": "Patient", "id": "ada", "active": True})
    notes.told.clear()
    return "Patient/ada"


def bundle(kind, *entries):
    return {
        "resourceType": "Bundle",
        "type": kind,
        "entry": [
            {"request": {"method": method, "url": url}, **more}
            for method, url, more in entries
        ],
    }


def test_what_is_read_is_told_outside_of_any_transaction(
    fyr_client, notes, ada
) -> None:
    fyr_client.get(ada)
    fyr_client.get(f"{ada}/_history/1")
    fyr_client.get("Patient?active=true")
    fyr_client.get(f"{ada}/_history")

    assert notes.told == [
        (interaction, 200, False, ["read Patient/ada/1"])
        for interaction in ("read", "vread", "search-type", "history-instance")
    ]


def test_whoever_has_it_already_was_told_of_it_too(fyr_client, notes, ada) -> None:
    answer = fyr_client.with_headers(If_None_Match='W/"1"').get(ada)

    assert answer.status == 304
    assert notes.told == [("read", 200, False, ["read Patient/ada/1"])]


def test_a_search_that_finds_nothing_is_told(fyr_client, notes) -> None:
    fyr_client.get("Patient?active=false")

    assert notes.told == [("search-type", 200, False, [])]


def test_a_write_is_told_inside_its_transaction(fyr_client, notes) -> None:
    fyr_client.update({"resourceType": "Patient", "id": "bo"})
    fyr_client.update({"resourceType": "Patient", "id": "bo", "active": True})
    fyr_client.delete("Patient/bo")
    fyr_client.delete("Patient/bo")

    assert notes.told == [
        ("update", 201, True, ["create Patient/bo/1"]),
        ("update", 200, True, ["update Patient/bo/2"]),
        ("delete", 200, True, ["delete Patient/bo/3"]),
        ("delete", 200, True, []),
    ]


def test_a_write_that_cannot_be_noted_is_not_kept(fyr_client, notes) -> None:
    notes.full = True
    refused = fyr_client.update({"resourceType": "Patient", "id": "bo"})
    notes.full = False

    assert refused.status == 503
    assert fyr_client.get("Patient/bo").status == 404


def test_a_read_that_cannot_be_noted_is_not_answered(fyr_client, notes, ada) -> None:
    notes.full = True

    answers = [fyr_client.get(path) for path in (ada, "Patient", f"{ada}/_history")]

    assert {answer.status for answer in answers} == {503}
    assert all(answer.issues for answer in answers)


def test_a_create_that_finds_the_resource_there_has_read_it(
    fyr_client, notes, ada
) -> None:
    client = fyr_client.with_headers(If_None_Exist="active=true")

    client.create({"resourceType": "Patient", "active": True})

    assert notes.told == [("create", 200, True, ["read Patient/ada/1"])]


def test_each_entry_of_a_transaction_is_told_on_its_own(fyr_client, notes, ada) -> None:
    new = {"resource": {"resourceType": "Patient", "id": "bo"}}
    fyr_client.post(
        "",
        bundle(
            "transaction",
            ("GET", ada, {}),
            ("PUT", "Patient/bo", new),
            ("DELETE", "Patient?active=false", {}),
        ),
    )

    assert sorted(notes.told[:-1]) == [
        ("delete", 204, True, []),
        ("read", 200, True, ["read Patient/ada/1"]),
        ("update", 201, True, ["create Patient/bo/1"]),
    ]
    assert notes.told[-1] == ("transaction", 200, False, [])


def test_an_entry_of_a_batch_that_is_refused_is_told_with_its_status(
    fyr_client, notes, ada
) -> None:
    fyr_client.post("", bundle("batch", ("GET", ada, {}), ("GET", "Patient/x", {})))

    assert notes.told == [
        ("read", 200, False, ["read Patient/ada/1"]),
        ("read", 404, False, []),
        ("batch", 200, False, []),
    ]


def test_an_operation_is_told_of_once_with_all_that_it_touched(
    fyr_client, notes, ada
) -> None:
    made = fyr_client.post(f"{ada}/$touch", {"resourceType": "Parameters"}).json

    assert notes.told == [
        (
            "operation",
            200,
            True,
            ["read Patient/ada/1", f"create Basic/{made['id']}/1"],
        )
    ]


class Masks(Plugin):
    """Cannot show a Patient who is not active."""

    @hookimpl
    def before_show(self, resource):
        if resource["resourceType"] == "Patient" and not resource.get("active"):
            raise Forbidden("hidden")


class TestWhatIsNotShownAfterAll:
    @pytest.fixture
    def fyr_plugins(self):
        return {"notes": Notes, "masks": Masks}

    @pytest.mark.parametrize(
        "path", ["Patient/bo", "Patient/bo/_history/1", "Patient", "Patient/_history"]
    )
    def test_it_is_not_told_of(self, fyr_client, notes, path) -> None:
        fyr_client.update({"resourceType": "Patient", "id": "bo"})
        notes.told.clear()

        assert fyr_client.get(path).status == 403
        assert notes.told == []
