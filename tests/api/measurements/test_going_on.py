"""What is submitted in an episode of care that is over, on hold, or without its consent."""

import pytest

from .conftest import NOW, concept, to

NO_CONSENT = "The patient has given no consent that holds for this episode of care."
CATEGORIES = "http://ehealth.sundhed.dk/cs/consent-category"


@pytest.fixture
def consent(world):
    """Store what the patient says of taking part in the episode."""

    def stored(status="active", **more):
        period = more.pop("period", None)
        kind = {"type": more.pop("type")} if "type" in more else {}
        provision = {
            **kind,
            "data": [
                {
                    "meaning": "instance",
                    "reference": to(f"EpisodeOfCare/{world.episode}"),
                }
            ],
            **({"period": period} if period else {}),
        }
        return world.put(
            "Consent",
            status=status,
            scope=concept("urn:x", "x"),
            category=[concept(CATEGORIES, more.pop("category", "PITEOC"))],
            policy=[{"uri": "urn:x"}],
            patient=to(f"Patient/{world.patient}"),
            provision=provision,
            **more,
        )

    return stored


def to_status(world, status):
    episode = world.everything.get(f"EpisodeOfCare/{world.episode}").json
    world.put("EpisodeOfCare", **{**without_type(episode), "status": status})


def without_type(resource):
    return {key: one for key, one in resource.items() if key != "resourceType"}


@pytest.mark.parametrize("end", ["finished", "cancelled", "entered-in-error"])
def test_nothing_is_submitted_in_an_episode_that_is_over(world, refused, end) -> None:
    """Requests of older servers have outlived their episode."""
    to_status(world, end)
    order = world.an_order()
    before = world.stored()

    # It was measured before the end, and is late in the post.
    answer = world.submit(world.observation(order, effectiveDateTime=NOW))

    assert refused(answer) == [
        (
            f"ServiceRequest {order} is not active. EpisodeOfCare {world.episode} is {end}.",
            "Bundle.entry[0].resource.basedOn[0]",
        )
    ]
    assert world.stored() == before


def test_what_is_measured_in_a_pause_is_taken(world) -> None:
    order = world.an_order()
    to_status(world, "onhold")

    assert world.submit(world.observation(order)).status == 200


@pytest.mark.parametrize(
    "more",
    [
        {"status": "inactive"},
        {"status": "rejected"},
        {"type": "deny", "dateTime": "2025-12-24"},
        {"period": {"start": "2020-01-01", "end": "2026-01-07"}},
    ],
    ids=["inactive", "rejected", "deny", "over"],
)
def test_nothing_is_submitted_without_a_consent_that_holds(
    world, consent, refused, more
) -> None:
    order = world.an_order()
    consent(**more)
    before = world.stored()

    ((text, place),) = refused(world.submit(world.observation(order)))

    assert text == NO_CONSENT
    assert place.startswith("Bundle.entry[0].resource.extension")
    assert world.stored() == before
    # Said anew, it holds again.
    consent()
    assert world.submit(world.observation(order)).status == 200


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"status": "proposed"},
        {"status": "inactive", "category": "SSLPCI"},
        {"status": "entered-in-error"},
        {"type": "deny", "period": {"start": "2030-01-01"}},
    ],
    ids=["active", "proposed", "another category", "mistake", "later"],
)
def test_what_is_no_withdrawal_stops_nothing(world, consent, more) -> None:
    order = world.an_order()
    consent(**more)

    assert world.submit(world.observation(order)).status == 200


def test_a_denial_stops_what_an_earlier_consent_let_be_submitted(
    world, consent, refused
) -> None:
    order = world.an_order()
    consent(dateTime="2025-12-01")
    assert world.submit(world.observation(order)).status == 200
    consent(type="deny", dateTime="2025-12-24")

    ((text, _),) = refused(world.submit(world.observation(order)))

    assert text == NO_CONSENT


def test_a_consent_that_is_prolonged_lets_be_submitted_again(world, consent) -> None:
    order = world.an_order()
    given = without_type(consent(dateTime="2025-12-01"))
    consent(type="deny", dateTime="2025-12-24")
    assert world.submit(world.observation(order)).status == 422

    provision = {**given["provision"], "period": {"end": "2030-01-01"}}
    world.put("Consent", **{**given, "provision": provision})

    assert world.submit(world.observation(order)).status == 200


def test_a_consent_that_is_withdrawn_meanwhile_counts(
    world, consent, refused, monkeypatch
) -> None:
    """Between the rules and the transaction, which asks whether they still hold."""
    order = world.an_order()
    given = without_type(consent())
    database = world.built.database
    write = database.write

    def late(work):
        monkeypatch.undo()
        world.put("Consent", **{**given, "status": "inactive"})
        return write(work)

    monkeypatch.setattr(database, "write", late)
    answer = world.submit(world.observation(order))

    assert [text for text, _ in refused(answer)] == [NO_CONSENT]
