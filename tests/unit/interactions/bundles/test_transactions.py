"""A transaction: all of it or nothing."""

import base64

import pytest

from fyr.core.errors import (
    FyrError,
    Gone,
    Invalid,
    NotFound,
    VersionConflict,
)

from .words import BAD_REQUESTS, entry, patient, statuses


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


@pytest.mark.parametrize(("bad", "where"), BAD_REQUESTS)
def test_a_transaction_with_a_wrong_request_is_refused(world, bad, where) -> None:
    with pytest.raises(Invalid) as refused:
        world.carry_out("transaction", entry("POST", "Patient", patient("x")), bad)

    assert refused.value.issues[0].expression == (f"Bundle.entry[1].{where}",)
    assert "entry" not in world.history()


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
