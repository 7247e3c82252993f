"""Many clients at a time, on each database."""

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from fyr.core.errors import FyrError

PATIENT = {"resourceType": "Patient", "id": "a"}


def together(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """Run calls at the same time; give each one's answer or refusal."""
    start = Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        start.wait()
        try:
            return call()
        except FyrError as error:
            return error

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def test_of_two_writers_of_one_version_one_is_refused(shared) -> None:
    shared.update(PATIENT)

    for version in range(1, 11):
        both = together([lambda v=version: shared.update(PATIENT, (str(v),))] * 2)

        assert sorted(one.status for one in both) == [200, 412]


def test_writers_who_ask_for_nothing_lose_no_update(shared) -> None:
    shared.update(PATIENT)

    answers = together([lambda: shared.update(PATIENT)] * 16)

    assert [one.status for one in answers] == [200] * 16
    assert {one.stored.version for one in answers} == set(range(2, 18))


def test_of_many_conditional_creates_one_creates(shared) -> None:
    patient = {"resourceType": "Patient", "identifier": [{"value": "x"}]}

    answers = together([lambda: shared.create(dict(patient), "identifier=x")] * 64)

    assert Counter(one.status for one in answers) == {201: 1, 200: 63}
    assert len({one.stored.id for one in answers}) == 1


def test_of_many_conditional_updates_one_creates(shared) -> None:
    patient = {"resourceType": "Patient", "identifier": [{"value": "x"}]}

    answers = together([lambda: shared.update_by("identifier=x", dict(patient))] * 16)

    assert Counter(one.status for one in answers) == {201: 1, 200: 15}
    assert {one.stored.version for one in answers} == set(range(1, 17))


def test_of_two_updates_that_create_one_id_one_creates(shared) -> None:
    for number in range(10):
        patient = {"resourceType": "Patient", "id": f"p{number}"}
        both = together([lambda p=patient: shared.update(p)] * 2)

        assert sorted(one.status for one in both) == [200, 201]


def test_of_many_deletes_one_makes_a_version(shared) -> None:
    shared.update(PATIENT)

    answers = together([lambda: shared.delete("Patient", "a")] * 8)

    assert [one.status for one in answers] == [204] * 8
    assert len(shared.history("Patient", "a")["entry"]) == 2


def test_a_delete_beside_an_update_is_not_lost(shared) -> None:
    for number in range(10):
        identity = f"p{number}"
        patient = {"resourceType": "Patient", "id": identity}
        shared.update(patient)

        together(
            [
                lambda p=patient: shared.update(p),
                lambda i=identity: shared.delete("Patient", i),
            ]
        )

        entries = shared.history("Patient", identity)["entry"]
        assert sorted(one["request"]["method"] for one in entries) == [
            "DELETE",
            "PUT",
            "PUT",
        ]


def test_transactions_that_write_the_same_in_another_order_are_all_done(shared) -> None:
    def entry(identity: str) -> dict[str, Any]:
        return {
            "resource": {"resourceType": "Patient", "id": identity},
            "request": {"method": "PUT", "url": f"Patient/{identity}"},
        }

    names = [f"p{number}" for number in range(10)]
    orders = [names, names[::-1]] * 4
    answers = together(
        [
            lambda order=order: shared.carry_out("transaction", *map(entry, order))
            for order in orders
        ]
    )

    assert all(isinstance(one, list) for one in answers), answers
    versions = [shared.read("Patient", name).stored.version for name in names]
    assert versions == [8] * 10
