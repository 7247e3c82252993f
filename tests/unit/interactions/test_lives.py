"""Random lives of resources, beside a model that is a list of versions for each."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from fyr.core.errors import Gone, NotFound, PreconditionFailed

IDS = ("a", "b")

steps = st.tuples(
    st.sampled_from(("update", "update if", "create only", "delete", "transaction")),
    st.sampled_from(IDS),
    st.integers(1, 4),
)


class Life:
    """What each resource should have been through: ``True`` where it was there."""

    def __init__(self, world: Any) -> None:
        self.world = world
        self.versions: dict[str, list[bool]] = {one: [] for one in IDS}

    def there(self, identity: str) -> bool:
        return bool(self.versions[identity]) and self.versions[identity][-1]

    def take(self, step: str, identity: str, number: int) -> None:
        patient = {"resourceType": "Patient", "id": identity}
        if step == "delete":
            self.world.delete("Patient", identity)
            if self.there(identity):
                self.versions[identity].append(False)
        elif step == "transaction":
            self.both()
        else:
            self.write(step, patient, number)

    def both(self) -> None:
        """Delete one and write the other in one transaction."""
        first, second = IDS
        self.world.carry_out(
            "transaction",
            {"request": {"method": "DELETE", "url": f"Patient/{first}"}},
            {
                "request": {"method": "PUT", "url": f"Patient/{second}"},
                "resource": {"resourceType": "Patient", "id": second},
            },
        )
        if self.there(first):
            self.versions[first].append(False)
        self.versions[second].append(True)

    def write(self, step: str, patient: dict[str, Any], number: int) -> None:
        identity = patient["id"]
        versions, there = self.versions[identity], self.there(identity)
        conditions = {
            "update": {},
            "update if": {"if_match": (str(number),)},
            "create only": {"if_none_match": ("*",)},
        }[step]
        allowed = {
            "update": True,
            "update if": there and len(versions) == number,
            "create only": not there,
        }[step]
        try:
            answer = self.world.update(patient, **conditions)
        except PreconditionFailed:
            assert not allowed
            return
        versions.append(True)
        assert allowed
        assert (answer.status, answer.stored.version) == (
            200 if there else 201,
            len(versions),
        )

    def check(self, identity: str) -> None:
        versions = self.versions[identity]
        try:
            stored = self.world.read("Patient", identity).stored
            assert self.there(identity)
            assert stored.version == len(versions)
        except NotFound:
            assert versions == []
            return
        except Gone:
            assert not versions[-1]
        entries = self.world.history("Patient", identity)["entry"]
        assert ["resource" in one for one in reversed(entries)] == versions


@given(st.lists(steps, max_size=12))
@settings(max_examples=40, deadline=None)
def test_every_life_is_kept_as_it_was_lived(build_many, taken) -> None:
    life = Life(build_many())
    for step in taken:
        life.take(*step)

    for identity in IDS:
        life.check(identity)
