import base64

import pytest

from fyr.core.errors import (
    FyrError,
    Gone,
    Invalid,
    MultipleMatches,
    NotFound,
    PreconditionFailed,
    TooLarge,
    VersionConflict,
)
from fyr.core.interactions import Incoming


def patient(value: str = "", **more) -> dict[str, object]:
    identifier = {"identifier": [{"value": value}]} if value else {}
    return {"resourceType": "Patient", **identifier, **more}


def entry(method: str, url: str, resource=None, full_url: str = "", **request):
    made = {"request": {"method": method, "url": url, **request}}
    if resource is not None:
        made["resource"] = resource
    if full_url:
        made["fullUrl"] = full_url
    return made


def statuses(entries) -> list[str]:
    return [one["response"]["status"] for one in entries]


def test_a_transaction_answers_its_entries_in_their_order(shared) -> None:
    shared.update(patient(id="old"))
    shared.update(patient(id="changed"))

    answer = shared.carry_out(
        "transaction",
        entry("GET", "Patient/changed"),
        entry("PUT", "Patient/changed", patient(id="changed", active=True)),
        entry("POST", "Patient", patient("x")),
        entry("DELETE", "Patient/old"),
        entry("HEAD", "Patient/changed"),
    )

    assert statuses(answer) == [
        "200 OK",
        "200 OK",
        "201 Created",
        "204 No Content",
        "200 OK",
    ]
    # Reads come last and see what the transaction wrote.
    assert answer[0]["resource"]["active"] is True
    assert "resource" not in answer[4]
    assert answer[1]["response"]["location"] == "Patient/changed/_history/2"
    assert answer[1]["response"]["etag"] == 'W/"2"'


def test_a_transaction_gives_what_it_wrote_to_those_who_want_it(world) -> None:
    minimal = world.carry_out("transaction", entry("POST", "Patient", patient()))
    whole = world.carry_out(
        "transaction", entry("POST", "Patient", patient()), returns="representation"
    )
    outcome = world.carry_out(
        "transaction", entry("POST", "Patient", patient()), returns="OperationOutcome"
    )

    assert "resource" not in minimal[0]
    assert whole[0]["fullUrl"].endswith("Patient/" + whole[0]["resource"]["id"])
    assert outcome[0]["response"]["outcome"]["resourceType"] == "OperationOutcome"


def test_references_between_entries_follow_the_ids_they_get(world) -> None:
    narrative = (
        '<div xmlns="http://www.w3.org/1999/xhtml"><a href="urn:uuid:o">o</a></div>'
    )
    answer = world.carry_out(
        "transaction",
        entry(
            "POST",
            "Patient",
            patient(
                managingOrganization={"reference": "urn:uuid:o"},
                text={"status": "generated", "div": narrative},
                extension=[
                    {"url": "http://example.org/x", "valueUri": "urn:uuid:o"},
                    {"url": "http://example.org/x", "valueCanonical": "urn:uuid:o"},
                    {"url": "http://example.org/x", "valueString": "urn:uuid:o"},
                ],
            ),
            "urn:uuid:p",
        ),
        entry(
            "POST",
            "Organization",
            {"resourceType": "Organization", "name": "x"},
            "urn:uuid:o",
        ),
        returns="representation",
    )

    first, second = (one["resource"] for one in answer)
    name = f"Organization/{second['id']}"
    values = [list(one.values())[1] for one in first["extension"]]
    assert first["managingOrganization"]["reference"] == name
    assert f'href="{name}"' in first["text"]["div"]
    assert values == [name, "urn:uuid:o", "urn:uuid:o"]


def test_circular_and_versioned_references_are_resolved(world) -> None:
    world.update({"resourceType": "Organization", "id": "o", "name": "x"})
    answer = world.carry_out(
        "transaction",
        entry(
            "POST",
            "Patient",
            patient(managingOrganization={"reference": "urn:uuid:o/_history/1"}),
            "urn:uuid:p",
        ),
        entry(
            "PUT",
            "Organization/o",
            {
                "resourceType": "Organization",
                "id": "o",
                "name": "x",
                "extension": [
                    {
                        "url": "http://example.org/x",
                        "valueReference": {"reference": "urn:uuid:p"},
                    }
                ],
            },
            "urn:uuid:o",
        ),
        returns="representation",
    )

    first, second = (one["resource"] for one in answer)
    reference = second["extension"][0]["valueReference"]["reference"]
    assert first["managingOrganization"]["reference"] == "Organization/o/_history/2"
    assert reference == f"Patient/{first['id']}"


def test_relative_references_follow_entries_of_another_server(world) -> None:
    base = "http://elsewhere.example.org/fhir"
    answer = world.carry_out(
        "transaction",
        entry(
            "POST",
            "Patient",
            patient(managingOrganization={"reference": "Organization/7"}),
            f"{base}/Patient/5",
        ),
        entry(
            "POST",
            "Organization",
            {"resourceType": "Organization", "name": "x"},
            f"{base}/Organization/7",
        ),
        returns="representation",
    )

    first, second = (one["resource"] for one in answer)
    name = f"Organization/{second['id']}"
    assert first["managingOrganization"]["reference"] == name


def test_conditional_references_find_what_is_stored_and_what_is_sent(world) -> None:
    stored = world.create(
        {"resourceType": "Organization", "identifier": [{"value": "old"}]}
    ).stored
    answer = world.carry_out(
        "transaction",
        entry(
            "POST",
            "Patient",
            patient(managingOrganization={"reference": "Organization?identifier=old"}),
        ),
        entry(
            "POST",
            "Patient",
            patient(managingOrganization={"reference": "Organization?identifier=new"}),
        ),
        entry(
            "POST",
            "Organization",
            {"resourceType": "Organization", "identifier": [{"value": "new"}]},
        ),
        returns="representation",
    )

    references = [
        one["resource"]["managingOrganization"]["reference"] for one in answer[:2]
    ]
    assert references == [
        f"Organization/{stored.id}",
        f"Organization/{answer[2]['resource']['id']}",
    ]


@pytest.mark.parametrize(
    ("matches", "refusal"), [(0, PreconditionFailed), (2, MultipleMatches)]
)
def test_a_conditional_reference_to_none_or_several_refuses_all(
    world, matches, refusal
) -> None:
    for _ in range(matches):
        world.create({"resourceType": "Organization", "identifier": [{"value": "o"}]})

    with pytest.raises(refusal) as caught:
        world.carry_out(
            "transaction",
            entry("POST", "Basic", {"resourceType": "Basic", "code": {"text": "x"}}),
            entry(
                "POST",
                "Patient",
                patient(
                    managingOrganization={"reference": "Organization?identifier=o"}
                ),
            ),
        )

    place = "Bundle.entry[1].resource.managingOrganization.reference"
    assert caught.value.issues[0].expression == (place,)
    assert "entry" not in world.history("Basic")


@pytest.mark.parametrize("query", ["identifier=%ff", "nonsense=1"])
def test_a_conditional_reference_that_is_no_search_is_told_with_its_place(
    world, query
) -> None:
    referring = patient(managingOrganization={"reference": f"Organization?{query}"})

    with pytest.raises(FyrError) as caught:
        world.carry_out("transaction", entry("POST", "Patient", referring))

    place = "Bundle.entry[0].resource.managingOrganization.reference"
    assert caught.value.issues[0].expression == (place,)


def test_criteria_of_entries_are_asked_in_the_transaction(world) -> None:
    world.create(patient("there"))
    world.create(patient("dead"))

    answer = world.carry_out(
        "transaction",
        entry("POST", "Patient", patient("there"), ifNoneExist="identifier=there"),
        entry("POST", "Patient", patient("new"), ifNoneExist="identifier=new"),
        entry("PUT", "Patient?identifier=newer", patient("newer")),
        entry("DELETE", "Patient?identifier=dead"),
        entry("DELETE", "Patient?identifier=none"),
    )

    assert statuses(answer) == [
        "200 OK",
        "201 Created",
        "201 Created",
        "204 No Content",
        "204 No Content",
    ]


def test_references_follow_an_entry_whose_resource_was_there_already(world) -> None:
    identity = world.create(patient("there")).stored.id

    answer = world.carry_out(
        "transaction",
        entry(
            "POST",
            "Patient",
            patient("there"),
            "urn:uuid:p",
            ifNoneExist="identifier=there",
        ),
        entry(
            "POST",
            "Basic",
            {
                "resourceType": "Basic",
                "code": {"text": "x"},
                "subject": {"reference": "urn:uuid:p"},
            },
        ),
        returns="representation",
    )

    assert answer[1]["resource"]["subject"]["reference"] == f"Patient/{identity}"


def test_patches_are_taken_as_parameters_and_as_binary(world) -> None:
    world.update(patient(id="a"))
    world.update(patient(id="b"))
    operation = {
        "name": "operation",
        "part": [
            {"name": "type", "valueCode": "add"},
            {"name": "path", "valueString": "Patient"},
            {"name": "name", "valueString": "active"},
            {"name": "value", "valueBoolean": True},
        ],
    }
    data = base64.b64encode(b'[{"op":"add","path":"/active","value":true}]').decode()

    answer = world.carry_out(
        "transaction",
        entry(
            "PATCH",
            "Patient/a",
            {"resourceType": "Parameters", "parameter": [operation]},
        ),
        entry(
            "PATCH",
            "Patient/b",
            {
                "resourceType": "Binary",
                "contentType": "application/json-patch+json",
                "data": data,
            },
        ),
        returns="representation",
    )

    assert [one["resource"]["active"] for one in answer] == [True, True]


def test_two_entries_about_one_resource_are_refused(world) -> None:
    with pytest.raises(Invalid) as caught:
        world.carry_out(
            "transaction",
            entry("PUT", "Patient/a", patient(id="a")),
            entry("DELETE", "Patient/a"),
        )

    assert len(caught.value.issues) == 1


def test_two_entries_of_one_name_are_refused(world) -> None:
    named = {**entry("POST", "Patient", patient()), "fullUrl": "urn:uuid:a"}

    with pytest.raises(Invalid) as caught:
        world.carry_out("transaction", named, dict(named))

    assert caught.value.issues[0].expression == ("Bundle.entry[1].fullUrl",)


def test_two_entries_with_the_same_criteria_are_refused(world) -> None:
    twice = entry("POST", "Patient", patient("x"), ifNoneExist="identifier=x")

    with pytest.raises(Invalid):
        world.carry_out("transaction", twice, dict(twice))


def test_all_problems_of_all_entries_are_told_and_nothing_is_stored(world) -> None:
    with pytest.raises(Invalid) as caught:
        world.carry_out(
            "transaction",
            entry("POST", "Patient", patient()),
            entry("POST", "Patient", patient(nam=1)),
            entry("PUT", "Patient/a", patient(id="a", gender="x")),
            entry("PUT", "Patient/a", patient(id="b")),
        )

    places = [path for issue in caught.value.issues for path in issue.expression]
    assert places == [
        "Bundle.entry[1].resource.nam",
        "Bundle.entry[2].resource.gender",
        "Bundle.entry[3].resource.id",
    ]
    assert "entry" not in world.history()


def test_a_stale_entry_undoes_the_others(shared) -> None:
    shared.update(patient(id="a"))

    with pytest.raises(VersionConflict) as caught:
        shared.carry_out(
            "transaction",
            entry("POST", "Patient", patient()),
            entry("PUT", "Patient/a", patient(id="a"), ifMatch='W/"7"'),
        )

    assert caught.value.issues[0].expression == ("Bundle.entry[1]",)
    assert len(shared.history("Patient")["entry"]) == 1


def test_a_read_that_fails_undoes_the_transaction(world) -> None:
    with pytest.raises(NotFound) as caught:
        world.carry_out(
            "transaction",
            entry("POST", "Patient", patient()),
            entry("GET", "Patient/none"),
        )

    assert caught.value.issues[0].expression == ("Bundle.entry[1]",)
    assert "entry" not in world.history()


@pytest.mark.parametrize(
    ("made", "place"),
    [
        (entry("POST", "Patient"), "Bundle.entry[0].resource"),
        (entry("PUT", "Patient", patient()), "Bundle.entry[0].request.url"),
        (entry("PUT", "x y", patient()), "Bundle.entry[0].request.url"),
        (entry("POST", "Patient/a", patient()), "Bundle.entry[0].request"),
        (
            entry("GET", "http://elsewhere.example.org/Patient/a"),
            "Bundle.entry[0].request.url",
        ),
        ({"fullUrl": "urn:uuid:x", "resource": patient()}, "Bundle.entry[0]"),
    ],
)
def test_an_entry_that_asks_for_nothing_is_refused_and_named(
    world, made, place
) -> None:
    with pytest.raises(FyrError) as caught:
        world.carry_out("transaction", made)

    assert [issue.expression for issue in caught.value.issues] == [(place,)]
    assert caught.value.status == 400


def test_a_batch_answers_each_entry_on_its_own(world) -> None:
    world.update(patient(id="gone"))
    world.delete("Patient", "gone")

    answer = world.carry_out(
        "batch",
        entry("POST", "Patient", patient("x")),
        entry("POST", "Patient", patient(nam=1)),
        entry("GET", "Patient/none"),
        entry("GET", "Patient/gone"),
        entry("GET", "Patient?identifier=x"),
        entry("POST", "Patient/_search?identifier=x"),
        entry("GET", "https://fyr.example.org/fhir/Patient/_history"),
        entry("GET", "Patient/gone/_history/1"),
        entry("GET", "Patient/gone/_history/1", ifNoneMatch='W/"1"'),
        entry("PUT", "Nothing/1", {"resourceType": "Patient", "id": "1"}),
    )

    assert [one[:3] for one in statuses(answer)] == [
        "201",
        "400",
        "404",
        "410",
        "200",
        "200",
        "200",
        "200",
        "200",
        "404",
    ]
    issue = answer[1]["response"]["outcome"]["issue"][0]
    assert issue["expression"] == ["Patient.nam"]
    assert answer[4]["resource"]["total"] == 1


BAD_REQUESTS = [
    (entry("FLY", "Patient/a"), "request.method"),
    (entry("GET", "Patient/a", ifModifiedSince="yesterday"), "request.ifModifiedSince"),
    (entry("GET", ""), "request.url"),
    (entry("GET", "Patient/a", colour="red"), "request.colour"),
    ({"request": {"url": "Patient/a"}}, "request.method"),
    ({"request": {}}, "request.method"),
]


@pytest.mark.parametrize(("bad", "where"), BAD_REQUESTS)
def test_an_entry_of_a_batch_whose_request_is_wrong_fails_alone(
    world, bad, where
) -> None:
    before, broken, after = world.carry_out(
        "batch", entry("POST", "Patient", patient("x")), bad, entry("GET", "Patient")
    )

    assert before["response"]["status"] == "201 Created"
    assert broken["response"]["status"] == "400 Bad Request"
    assert broken["response"]["outcome"]["issue"][0]["expression"] == [where]
    assert after["response"]["status"] == "200 OK"
    assert after["resource"]["total"] == 0


@pytest.mark.parametrize(("bad", "where"), BAD_REQUESTS)
def test_a_transaction_with_a_wrong_request_is_refused(world, bad, where) -> None:
    with pytest.raises(Invalid) as refused:
        world.carry_out("transaction", entry("POST", "Patient", patient("x")), bad)

    assert refused.value.issues[0].expression == (f"Bundle.entry[1].{where}",)
    assert "entry" not in world.history()


def test_a_reference_that_no_entry_answers_stays_as_it_is(world) -> None:
    reference = {"reference": "urn:uuid:6f8a3c1e-8d2b-4a53-9b61-0f0c4b1f7a11"}

    world.carry_out(
        "transaction",
        entry("PUT", "Patient/u", patient(id="u", managingOrganization=reference)),
    )

    stored = world.read("Patient", "u").resource()
    assert stored["managingOrganization"] == reference


def test_an_operation_can_be_an_entry(world) -> None:
    answer = world.carry_out(
        "batch", entry("POST", "Patient/$validate", patient(nam=1))
    )

    assert answer[0]["response"]["status"] == "200 OK"
    assert answer[0]["resource"]["issue"][0]["expression"] == ["Patient.nam"]


@pytest.mark.parametrize("kind", ["collection", "history", None])
def test_only_a_batch_or_transaction_is_done(world, kind) -> None:
    bundle = {"resourceType": "Bundle", **({"type": kind} if kind else {})}

    with pytest.raises(Invalid, match="batch or transaction"):
        world.interactions.bundle(world.context("transaction"), Incoming(bundle))


@pytest.mark.parametrize(
    "entries", [{}, [1], [{"request": 1}], [{"request": None}], [{"search": 1}]]
)
def test_a_bundle_that_is_none_is_refused(world, entries) -> None:
    bundle = {"resourceType": "Bundle", "type": "batch", "entry": entries}

    with pytest.raises(Invalid):
        world.interactions.bundle(world.context("transaction"), Incoming(bundle))


def test_an_empty_bundle_is_answered_with_one(world) -> None:
    bundle = {"resourceType": "Bundle", "type": "transaction"}

    answer = world.interactions.bundle(world.context("transaction"), Incoming(bundle))

    assert answer.resource() == {
        "resourceType": "Bundle",
        "type": "transaction-response",
    }


def test_a_bundle_with_too_many_entries_is_refused(build) -> None:
    world = build(fhir={"max_bundle_entries": 1})

    with pytest.raises(TooLarge):
        world.carry_out("batch", *[entry("GET", "Patient/a")] * 2)


def test_a_transaction_is_one_trip_to_the_store_however_long(build) -> None:
    world = build()
    resources = world.interactions.resources
    calls = []
    lock, put = resources.lock, resources.put
    resources.lock = lambda *args: calls.append("lock") or lock(*args)
    resources.put = lambda *args: calls.append("put") or put(*args)
    entries = [
        entry("PUT", f"Patient/p{number}", patient(id=f"p{number}"))
        for number in range(500)
    ]

    answer = world.carry_out("transaction", *entries)

    assert calls == ["lock", "put"]
    assert set(statuses(answer)) == {"201 Created"}


def test_a_patch_of_what_is_gone_is_refused(world) -> None:
    world.update(patient(id="a"))
    world.delete("Patient", "a")
    data = base64.b64encode(b"[]").decode()
    patch = {
        "resourceType": "Binary",
        "contentType": "application/json-patch+json",
        "data": data,
    }

    with pytest.raises(Gone):
        world.carry_out("transaction", entry("PATCH", "Patient/a", patch))
