"""``$create-episode-of-care``: how an episode of care begins."""

import pytest

from .words import ACT, EPISODE, SCHEDULE, C, E, made, planned, refusal, to


def test_an_episode_begins_with_its_condition_and_where_it_comes_from(
    clinic, begin, parts, patient
) -> None:
    answer = begin()

    assert answer.status == 200, answer.body
    assert answer.json["type"] == "transaction-response"
    statuses = [one["response"]["status"] for one in answer.json["entry"]]
    assert statuses == ["201 Created"] * 4
    episode = made(clinic, answer, "EpisodeOfCare")
    condition = made(clinic, answer, "Condition")
    provenance = made(clinic, answer, "Provenance")
    assert episode["status"] == "planned"
    assert episode["patient"] == to(patient)
    assert episode["diagnosis"][0]["condition"] == to(f"Condition/{condition['id']}")
    target = to(f"EpisodeOfCare/{episode['id']}")
    assert condition["extension"] == [{"url": EPISODE, "valueReference": target}]
    assert provenance["target"] == [target]
    assert provenance["policy"] == [ACT]


def test_its_histories_begin_with_it(clinic, begin, parts) -> None:
    team = clinic.team()
    parts[E]["team"] = [to(team)]

    episode = made(clinic, begin(), "EpisodeOfCare")

    assert [one["status"] for one in episode["statusHistory"]] == ["planned"]
    assert "end" not in episode["statusHistory"][0]["period"]
    (history,) = [
        one for one in episode["extension"] if one["url"].endswith("teamHistory")
    ]
    assert history["extension"][0]["valueReference"] == to(team)


def test_a_condition_is_told_its_episode_if_it_does_not_say(
    clinic, begin, parts
) -> None:
    del parts[C]["extension"]

    answer = begin()

    episode = made(clinic, answer, "EpisodeOfCare")
    condition = made(clinic, answer, "Condition")
    (said,) = condition["extension"]
    assert said["valueReference"] == to(f"EpisodeOfCare/{episode['id']}")


def test_the_server_tells_who_has_asked_in_a_provenance_of_its_own(
    clinic, begin, patient
) -> None:
    answer = begin()

    origin = made(clinic, answer, "Provenance", 1)
    episode = made(clinic, answer, "EpisodeOfCare")
    assert answer.json["entry"][-1]["response"]["location"].count(origin["id"]) == 1
    assert origin["target"] == [to(f"EpisodeOfCare/{episode['id']}")]
    assert [one.split("/policy/")[1] for one in origin["policy"]] == [
        "ehealth/patient-data",
        "eu/general-data-protection-regulation",
    ]
    assert origin["activity"]["coding"][0]["code"] == "CREATE"
    assert origin["reason"][0]["coding"][0]["code"] == "PATADMIN"
    assert origin["agent"][0]["role"][0]["coding"][0]["code"] == "AUT"


@pytest.mark.parametrize(
    ("prefer", "shown"), [("return=representation", 4), ("return=minimal", 0), ("", 0)]
)
def test_the_resources_are_answered_to_whoever_prefers_it(begin, prefer, shown) -> None:
    answer = begin(Prefer=prefer) if prefer else begin()

    assert sum("resource" in one for one in answer.json["entry"]) == shown


def test_a_planned_pause_ends_after_seven_days(clinic, begin, parts) -> None:
    parts[E]["extension"] = [planned("onhold", "2026-01-10T08:00:00+00:00")]

    episode = made(clinic, begin(), "EpisodeOfCare")

    told = [
        tuple(
            next(v for k, v in part.items() if k != "url") for part in one["extension"]
        )
        for one in episode["extension"]
        if one["url"] == SCHEDULE
    ]
    assert told == [
        ("onhold", "2026-01-10T08:00:00+00:00"),
        ("active", "2026-01-17T08:00:00+00:00"),
    ]


def test_a_pause_whose_end_is_planned_is_left_alone(clinic, begin, parts) -> None:
    parts[E]["extension"] = [
        planned("onhold", "2026-01-10T08:00:00+00:00"),
        planned("active", "2026-02-01T08:00:00+00:00"),
    ]

    episode = made(clinic, begin(), "EpisodeOfCare")

    assert sum(one["url"] == SCHEDULE for one in episode["extension"]) == 2


def test_a_pause_of_more_than_thirty_days_is_refused(begin, parts) -> None:
    parts[E]["extension"] = [
        planned("onhold", "2026-01-10T08:00:00+00:00"),
        planned("active", "2026-02-09T08:00:01+00:00"),
    ]

    assert refusal(begin()) == (
        422,
        ["A pause that is planned ahead is at most 30 days long."],
    )


def test_two_changes_at_one_moment_are_refused(begin, parts) -> None:
    parts[E]["extension"] = [
        planned("onhold", "2026-01-10T08:00:00+00:00"),
        planned("active", "2026-01-10T09:00:00+01:00"),
    ]

    assert refusal(begin()) == (
        422,
        ["Two changes of status cannot be planned for the same moment."],
    )


def test_a_new_episode_is_told_by_its_topic(clinic, begin) -> None:
    clinic.told()

    begin()

    assert ("ehealth-episodeofcare", "created") in clinic.told()
