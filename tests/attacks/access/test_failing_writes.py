"""What fails, and how, tells nothing of what may not be seen."""

import json

import pytest

PATCH = "application/json-patch+json"
SECRETS = (b"Secret2", b"dia2", b"Patient/2", b"EpisodeOfCare/2", b"72")


def condition(kit, n, **more):
    return {
        "resourceType": "Condition",
        "extension": [
            kit.extension("episode", valueReference=kit.to(f"EpisodeOfCare/{n}"))
        ],
        "subject": kit.to(f"Patient/{n}"),
        "code": kit.concept("made-up"),
        **more,
    }


def entry(method, url, resource=None, **request):
    made = {"request": {"method": method, "url": url, **request}}
    return {**made, "resource": resource} if resource else made


def bundle(kind, *entries):
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


@pytest.fixture
def nurse(world, kit):
    may = (
        "FHIR.transaction Condition.create Condition.read Condition.update"
        " Condition.patch Condition.delete CarePlan.update"
    )
    return world.at("careplan", kit.nurse("a", 1, "Patient/1", may=may))


@pytest.fixture(autouse=True)
def as_before(world):
    """Put everything back that an attack has changed."""
    paths = ["Condition/2", "Goal/2", "RelatedPerson/2"]
    kept = [world.everything.get(path).json for path in paths]
    yield
    for one in kept:
        world.put(one)


def told(answer) -> str:
    """Tell an answer without what is another one each time."""
    return json.dumps([answer.status, answer.json.get("issue")])


class TestBundles:
    """Entries that fail beside entries that are refused."""

    def test_the_refusal_of_one_is_all_that_is_told(
        self, world, nurse, kit, decides
    ) -> None:
        """An entry that fails by its content, before or after one that lies outside."""
        broken = {**condition(kit, 1), "subject": kit.to("Patient/nobody")}
        foreign = condition(kit, 2)
        both = [
            entry("POST", "Condition", broken),
            entry("POST", "Condition", foreign),
        ]

        answers = [
            nurse.post("", bundle("transaction", *order))
            for order in (both, both[::-1])
        ]

        for answer in answers:
            assert (answer.status == 403) is decides
            if decides:
                assert "Patient/nobody" not in str(answer.json)
                assert not any(one in answer.body for one in SECRETS)

    @pytest.mark.parametrize("version", ["now", "99"])
    def test_if_match_in_an_entry_is_no_oracle(
        self, world, nurse, kit, decides, version
    ) -> None:
        """Whatever version is guessed, the refusal is the same."""
        theirs = world.everything.get("Goal/2").json
        if version == "now":
            version = theirs["meta"]["versionId"]
        sent = bundle(
            "transaction",
            entry("POST", "Condition", condition(kit, 1)),
            entry("PUT", "Goal/2", theirs, ifMatch=f'W/"{version}"'),
        )

        answer = nurse.post("", sent)

        if decides:
            assert answer.status == 403
            assert not any(one in answer.body for one in SECRETS)
        else:
            # Without it the answer depends on the guess.
            assert answer.status == (412 if version == "99" else 200)

    def test_a_delete_of_what_is_not_seen_is_refused_with_what_fails(
        self, nurse, kit, decides
    ) -> None:
        answers = [
            nurse.post(
                "",
                bundle(
                    "transaction",
                    entry("DELETE", f"Condition/{identity}"),
                    entry("POST", "Condition", {"resourceType": "Condition", "x": 1}),
                ),
            )
            for identity in ("2", "2")
        ]

        for answer in answers:
            assert answer.status in (400, 403, 405, 422)
            assert not any(one in answer.body for one in SECRETS)


class TestPreconditions:
    """Versions and patches of what may not be read."""

    @pytest.mark.parametrize("version", ["1", "2", "99", '"x"', "*"])
    def test_a_guessed_version_is_answered_alike(
        self, world, kit, decides, version
    ) -> None:
        client = world.at(
            "careplan", kit.nurse("a", 1, "Patient/1", may="CarePlan.update")
        )
        theirs = world.everything.get("Goal/2").json
        tag = version if version in ('"x"', "*") else f'W/"{version}"'

        answer = client.update(theirs, If_Match=tag)

        assert (answer.status == 403) is decides or answer.status == 400

    def test_all_guesses_of_versions_get_one_answer(self, guarded, kit) -> None:
        may = "CarePlan.update Observation.patch"
        nurse = kit.nurse("a", 1, "Patient/1", may=may)
        theirs = guarded.everything.get("Goal/2").json
        patch = b'[{"op":"replace","path":"/status","value":"final"}]'

        updates, patches = set(), set()
        for version in range(1, 6):
            tag = f'W/"{version}"'
            at = guarded.at("careplan", nurse)
            updates.add(told(at.update(theirs, If_Match=tag)))
            at = guarded.at("measurement", nurse).with_headers(If_Match=tag)
            patches.add(told(at.patch("Observation/2", patch, PATCH)))

        assert len(updates) == 1
        assert len(patches) == 1
        # Of what is one's own a wrong version is told.
        mine = guarded.everything.get("Goal/1").json
        own = guarded.at("careplan", nurse).update(mine, If_Match='W/"99"')
        assert own.status == 412

    PROBES = (
        '[{"op":"test","path":"/code/coding/0/code","value":"weight"}]',
        '[{"op":"test","path":"/code/coding/0/code","value":"height"}]',
        '[{"op":"test","path":"/nothing","value":1}]',
        '[{"op":"remove","path":"/nothing"}]',
        '[{"op":"copy","from":"/code","path":"/method"}]',
        '[{"op":"replace","path":"/status","value":"nonsense"}]',
        '[{"op":"add","path":"/extension/7","value":{"url":"http://x.example.org"}}]',
    )

    def test_a_patch_probes_nothing(self, guarded, kit) -> None:
        nurse = kit.nurse("a", 1, may="Observation.patch")
        client = guarded.at("measurement", nurse)

        answers = {
            told(client.patch("Observation/2", one.encode(), PATCH))
            for one in self.PROBES
        }

        assert len(answers) == 1, answers
        assert json.loads(answers.pop())[0] == 403

    def test_it_does_where_nobody_decides(self, unguarded, kit) -> None:
        nurse = kit.nurse("a", 1, may="Observation.patch")
        client = unguarded.at("measurement", nurse)

        answers = {
            told(client.patch("Observation/2", one.encode(), PATCH))
            for one in self.PROBES[:2]
        }

        assert len(answers) == 2


class TestCriteria:
    """Conditional writes whose criteria match others' data."""

    @pytest.fixture
    def citizen(self, world, kit):
        may = "RelatedPerson.read RelatedPerson.write"
        return world.at("patient", kit.citizen(1, may=may))

    @pytest.mark.parametrize("method", ["create", "update", "delete"])
    def test_a_match_and_none_are_answered_alike(
        self, citizen, kit, decides, method
    ) -> None:
        mine = {"resourceType": "RelatedPerson", "patient": kit.to("Patient/1")}
        answers = []
        for criteria in ("patient=Patient/2", "patient=Patient/none"):
            if method == "create":
                answers.append(citizen.create(mine, If_None_Exist=criteria))
            elif method == "update":
                answers.append(citizen.put(f"RelatedPerson?{criteria}", mine))
            else:
                answers.append(citizen.delete(f"RelatedPerson?{criteria}"))

        first, second = answers
        if decides:
            assert (first.status, second.status) == (403, 403)
            assert told(first) == told(second).replace("Patient/none", "Patient/2")
        else:
            assert 403 not in (first.status, second.status)

    def test_what_matches_within_the_context_and_is_led_outside_is_refused(
        self, world, citizen, kit, decides
    ) -> None:
        """The criteria are one's own, what is stored is another patient's."""
        kept = world.everything.get("RelatedPerson/1").json
        theirs = {"resourceType": "RelatedPerson", "patient": kit.to("Patient/2")}

        answer = citizen.put("RelatedPerson?patient=Patient/1&_id=1", theirs)

        assert (answer.status == 403) is decides
        world.put(kept)


class TestMovedAway:
    """The past of a resource that has left one's care."""

    @pytest.fixture
    def moved(self, world):
        before = world.everything.get("Observation/1").json
        after = world.everything.get("Observation/2").json
        for one in (before, after, {**after, "note": [{"text": "Secret2"}]}):
            world.put({**one, "id": "left"})
        yield "Observation/left"
        world.everything.delete("Observation/left")

    def test_neither_history_nor_any_version_nor_a_304_is_told(
        self, world, kit, decides, moved
    ) -> None:
        client = world.at("measurement", kit.nurse("a", 1, may="Observation.read"))
        newest = int(world.everything.get(moved).json["meta"]["versionId"])
        versions = [f"{moved}/_history/{n}" for n in range(1, newest + 1)]

        for path in (moved, *versions[-3:]):
            answer = client.get(path)
            assert answer.status == (403 if decides else 200), path
        seen = client.get(moved, If_None_Match=f'W/"{newest}"')
        assert seen.status == (403 if decides else 304)

    def test_a_system_history_has_it_for_systems_alone(
        self, guarded, kit, moved
    ) -> None:
        for path in (f"{moved}/_history", "Observation/_history", "_history"):
            client = guarded.at("measurement", kit.nurse("a", 1, may="Observation.*"))
            answer = client.get(path)
            assert answer.status in (403, 404, 405), path
            assert b"Secret2" not in answer.body


class TestStructure:
    """What is wrong with the structure of a body is told before access is judged."""

    BROKEN = (
        {"lifecycleStatus": 7},
        {"lifecycleStatus": "nonsense"},
        {"unknown": "x"},
        {"description": None},
    )

    @pytest.mark.parametrize("change", BROKEN)
    def test_it_is_the_same_whatever_is_stored_under_the_id(
        self, guarded, kit, change
    ) -> None:
        """One's own, another patient's, and nothing at all."""
        goal = {
            "resourceType": "Goal",
            "subject": kit.to("Patient/2"),
            "lifecycleStatus": "active",
            "description": {"text": "x"},
            **change,
        }
        may = "CarePlan.update CarePlan.create"
        client = guarded.at("careplan", kit.nurse("a", 1, "Patient/1", may=may))

        answers = {
            told(client.update({**goal, "id": one})) for one in ("1", "2", "none")
        }

        assert len(answers) == 1, answers
        (answer,) = answers
        assert json.loads(answer)[0] in (400, 422)
        assert "Secret" not in answer

    def test_nobody_unknown_is_told_of_it(self, guarded) -> None:
        goal = {"resourceType": "Goal", "id": "2", "lifecycleStatus": 7}

        assert guarded.at("careplan").update(goal).status == 401

    def test_who_lacks_the_privilege_is_not_either(self, guarded, kit) -> None:
        goal = {"resourceType": "Goal", "id": "2", "lifecycleStatus": 7}
        client = guarded.at("careplan", kit.nurse("a", 1, may="Goal.read"))

        assert client.update(goal).status == 403

    @pytest.mark.parametrize("identity", ["1", "2", "none"])
    def test_a_patch_that_is_none_is_told_alike(self, guarded, kit, identity) -> None:
        client = guarded.at("measurement", kit.nurse("a", 1, may="Observation.patch"))
        broken = b'[{"op":"test","path":"/status"'

        answer = client.patch(f"Observation/{identity}", broken, PATCH)

        assert answer.status == 400
        assert identity == "none" or f"Observation/{identity}" not in str(answer.json)
