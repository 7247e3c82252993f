"""Tasks and messages of a restriction category are for those who may see that category."""


def test_a_search_finds_no_task_of_a_category_that_is_not_covered(
    world, kit, decides
) -> None:
    query = "Task?responsible=CareTeam/a"
    plain = kit.nurse("a", may="Task.search Task.read RestrictionCategory$none")
    more = "Task.search RestrictionCategory$measurement-monitoring"

    found = world.at("task", plain).get(query)

    assert [one["id"] for one in found.resources] == ([] if decides else ["1"])
    allowed = world.at("task", kit.nurse("a", may=more)).get(query)
    assert [one["id"] for one in allowed.resources] == ["1"]
    assert world.at("task", plain).get("Task/1").status == (403 if decides else 200)


def test_a_task_of_another_team_is_not_taken_over(world, kit, decides) -> None:
    may = "Task.patch RestrictionCategory$measurement-monitoring"
    patch = (
        b'[{"op":"replace","path":"/extension/1/valueReference/reference",'
        b'"value":"CareTeam/b"}]'
    )
    thief = world.at("task", kit.nurse("b", may=may))

    answer = thief.patch("Task/1", patch, "application/json-patch+json")

    assert answer.status == (403 if decides else 200)
    world.put(world.everything.get("Task/1/_history/1").json)


def test_a_citizen_does_not_read_what_others_wrote_to_each_other(
    world, kit, decides
) -> None:
    other = kit.citizen(2, may="Communication.read Communication.search")
    client = world.at("measurement", other)

    assert client.get("Communication/measurement-1").status == (403 if decides else 200)
    search = client.get("Communication?sender=Patient/1")
    assert search.status == (403 if decides else 200)


def test_a_citizen_writes_in_nobody_elses_name(world, kit, decides) -> None:
    forged = world.everything.get("Communication/measurement-2").json
    del forged["id"]

    answer = world.at("measurement", kit.citizen(2, may="Communication.create")).create(
        {**forged, "sender": kit.to("Patient/1")}
    )

    assert answer.status == (403 if decides else 201)
