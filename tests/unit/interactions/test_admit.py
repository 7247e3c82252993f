"""Who may ask for what, and which hooks are asked."""

import pytest

from fyr.core.context import ANONYMOUS, SYSTEM, Principal
from fyr.core.declarations.services import Service, TypeRules
from fyr.core.errors import (
    Forbidden,
    Issue,
    MethodNotAllowed,
    NotFound,
    Refused,
    Unauthenticated,
)
from fyr.core.hooks.markers import hookimpl
from fyr.core.interactions import Incoming

NURSE = Principal("PRACTITIONER", "nurse")


class Diary:
    """A plugin that notes which hook was asked, about what."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    @hookimpl
    def request_received(self, context):
        self.notes.append("request_received")

    @hookimpl
    def authenticate(self, context):
        self.notes.append("authenticate")
        return NURSE

    @hookimpl
    def authorize(self, context):
        self.notes.append(
            f"authorize {context.interaction} {context.principal.user_id}"
        )

    @hookimpl
    def before_interaction(self, context):
        self.notes.append(f"before_interaction {context.interaction}")

    @hookimpl
    def validate(self, context, resource):
        self.notes.append(f"validate {resource['resourceType']}")

    @hookimpl
    def before_store(self, context, session, old, new):
        self.notes.append(f"before_store {_version(old)} {new and new['id']}")

    @hookimpl
    def stored(self, context, session, old, new):
        self.notes.append(f"stored {_version(old)} {_version(new)}")

    @hookimpl
    def before_show(self, context, resource):
        self.notes.append(f"before_show {_version(resource)}")


def _version(resource):
    return resource and resource["meta"]["versionId"]


def test_a_write_asks_every_hook_in_its_order(build) -> None:
    diary = Diary()
    world = build(plugins={"diary": diary}, security={"mode": "closed"})

    world.update({"resourceType": "Patient", "id": "a"})

    assert diary.notes == [
        "request_received",
        "authenticate",
        "authorize update nurse",
        "before_interaction update",
        "validate Patient",
        "before_store None a",
        "stored None 1",
        "before_show 1",
    ]


def test_an_entry_of_a_transaction_asks_the_same_hooks_but_who_it_is(build) -> None:
    diary = Diary()
    world = build(plugins={"diary": diary}, security={"mode": "closed"})
    world.update({"resourceType": "Patient", "id": "a"})
    diary.notes.clear()

    world.carry_out(
        "transaction", {"request": {"method": "DELETE", "url": "Patient/a"}}
    )

    assert diary.notes == [
        "request_received",
        "authenticate",
        "authorize transaction nurse",
        "before_interaction transaction",
        "authorize delete nurse",
        "before_interaction delete",
        "before_store 1 None",
        "stored 1 None",
    ]


def test_a_closed_server_answers_nobody_unknown(build) -> None:
    world = build(security={"mode": "closed"})

    with pytest.raises(Unauthenticated) as caught:
        world.read("Patient", "a")

    assert "WWW-Authenticate" in caught.value.headers


def test_a_job_says_itself_who_it_is(build) -> None:
    diary = Diary()
    world = build(plugins={"diary": diary}, security={"mode": "closed"})
    context = world.context("history-system", principal=SYSTEM)

    world.interactions.history(context)

    assert diary.notes[0] == "authorize history-system fyr"


def test_an_open_server_answers_the_anonymous(world) -> None:
    context = world.context("history-system")

    world.interactions.history(context)

    assert context.principal is ANONYMOUS


def test_what_is_forbidden_is_not_even_parsed(build) -> None:
    class Guard:
        @hookimpl
        def authorize(self, context):
            raise Forbidden("not yours")

    world = build(plugins={"guard": Guard()})
    parsed = []

    with pytest.raises(Forbidden):
        world.interactions.create(
            world.context("create", "Patient"), Incoming(lambda: parsed.append(1) or {})
        )

    assert parsed == []


def test_a_forbidden_entry_refuses_the_transaction(build) -> None:
    class Guard:
        @hookimpl
        def authorize(self, context):
            if context.interaction == "delete":
                raise Forbidden("not yours")

    world = build(plugins={"guard": Guard()})

    with pytest.raises(Forbidden) as caught:
        world.carry_out(
            "transaction",
            {
                "request": {"method": "POST", "url": "Patient"},
                "resource": {"resourceType": "Patient"},
            },
            {"request": {"method": "DELETE", "url": "Patient/a"}},
        )

    assert caught.value.issues[0].expression == ("Bundle.entry[1]",)
    assert "entry" not in world.history()


def test_an_unknown_type_is_not_found_and_its_neighbour_named(world) -> None:
    with pytest.raises(NotFound, match="Patient"):
        world.read("Pateint", "a")


def test_what_the_service_does_not_offer_is_not_allowed(world) -> None:
    rules = {"Patient": TypeRules(frozenset({"read"}))}
    service = Service("small", "small/fhir", "Small", rules)

    with pytest.raises(MethodNotAllowed, match="delete"):
        world.interactions.delete(
            world.context("delete", "Patient", "a", service=service)
        )
    with pytest.raises(MethodNotAllowed, match="the whole service"):
        world.interactions.bundle(
            world.context("transaction", service=service), Incoming({})
        )
    with pytest.raises(NotFound):
        world.interactions.read(world.context("read", "Basic", "a", service=service))


def test_a_service_that_offers_batches_does_no_transactions(world) -> None:
    service = Service("small", "small/fhir", "Small", {}, frozenset({"batch"}))
    bundle = {"resourceType": "Bundle", "type": "batch"}

    def send(kind):
        world.interactions.bundle(
            world.context("transaction", service=service),
            Incoming({**bundle, "type": kind}),
        )

    send("batch")
    with pytest.raises(MethodNotAllowed):
        send("transaction")


def test_a_plugin_completes_what_is_stored(build) -> None:
    class Tagging:
        @hookimpl
        def before_store(self, context, session, old, new):
            new.setdefault("meta", {}).setdefault("tag", []).append({"code": "seen"})

    world = build(plugins={"tagging": Tagging()})
    sent = {"resourceType": "Patient", "id": "a", "meta": {"tag": []}}
    del sent["meta"]["tag"]
    sent["meta"]["source"] = "urn:x"

    patient = world.update(sent).resource()

    assert patient["meta"]["tag"] == [{"code": "seen"}]
    assert "tag" not in sent["meta"]


def test_a_plugin_that_refuses_leaves_nothing(build) -> None:
    class Late:
        @hookimpl
        def stored(self, context, session, old, new):
            raise Refused("not today")

    world = build(plugins={"late": Late()})

    with pytest.raises(Refused):
        world.update({"resourceType": "Patient", "id": "a"})

    assert "entry" not in world.history()
    assert world.interactions.database.rows("SELECT COUNT(*) FROM outbox") == [(0,)]


def test_all_that_plugins_find_wrong_is_told_and_warnings_do_not_refuse(build) -> None:
    class Strict:
        severity = "error"

        @hookimpl
        def validate(self, context, resource):
            yield Issue("business-rule", "no name", ("Patient.name",), self.severity)
            yield Issue("business-rule", "no gender", severity="warning")

    plugin = Strict()
    world = build(plugins={"strict": plugin})

    with pytest.raises(Refused) as caught:
        world.create({"resourceType": "Patient"})
    plugin.severity = "warning"
    answer = world.create({"resourceType": "Patient"})

    assert len(caught.value.issues) == 2
    assert len(answer.issues) == 2


def test_a_plugin_masks_what_is_shown_everywhere(build) -> None:
    class Mask:
        @hookimpl
        def before_show(self, context, resource):
            return {key: value for key, value in resource.items() if key != "birthDate"}

    world = build(plugins={"mask": Mask()})
    patient = {
        "resourceType": "Patient",
        "id": "a",
        "birthDate": "1970-01-01",
        "identifier": [{"value": "x"}],
    }

    bodies = [
        world.update(patient).body,
        world.read("Patient", "a").body,
        world.interactions.search(
            world.context("search-type", "Patient", params=(("identifier", "x"),))
        ).body,
        world.interactions.history(world.context("history-system")).body,
        world.interactions.bundle(
            world.context("transaction"),
            Incoming(
                {
                    "resourceType": "Bundle",
                    "type": "batch",
                    "entry": [
                        {
                            "request": {"method": "PUT", "url": "Patient/a"},
                            "resource": dict(patient),
                        },
                        {"request": {"method": "GET", "url": "Patient/a"}},
                    ],
                }
            ),
            "representation",
        ).body,
    ]

    assert all(b"Patient/a" in body or b'"id":"a"' in body for body in bodies)
    assert not any(b"birthDate" in body for body in bodies)
    assert b"birthDate" in world.interactions.resources.read("Patient", "a").body


def test_a_search_is_narrowed_that_of_criteria_too(build) -> None:
    class Narrow:
        @hookimpl
        def narrow_search(self, context, resource_type, params):
            return [(name, f"{value}-mine") for name, value in params]

    world = build(plugins={"narrow": Narrow()})
    patient = {"resourceType": "Patient", "identifier": [{"value": "x-mine"}]}

    assert world.create(dict(patient), "identifier=x").status == 201
    assert world.create(dict(patient), "identifier=x").status == 200
    assert world.find("Patient", identifier="x")["total"] == 1
