"""What becomes of requests where the log cannot be kept."""

import pytest

from fyr.core.errors.plugins import PluginError
from fyr.core.testing.applications import application, settings_with

from .words import NURSE, Log

#: A database that takes no more rows of the audit log.
FULL = """
    CREATE TRIGGER full BEFORE INSERT ON outbox WHEN NEW.topic = 'audit.request'
    BEGIN SELECT RAISE(ABORT, 'full'); END
"""


class TestADatabaseThatTakesNoMore:
    @pytest.fixture(params=[True, False])
    def required(self, request):
        return request.param

    @pytest.fixture
    def fyr_options(self, required):
        return {
            "plugins": {"enabled": ["search", "audit"]},
            "plugin": {"audit": {"required": required}},
        }

    @pytest.fixture(autouse=True)
    def is_full(self, nurse, fyr_app):
        fyr_app.database.write(lambda session: session.run(FULL))

    def test_nothing_is_shown_that_must_be_audited(self, nurse, required) -> None:
        paths = ("Patient/ada", "Patient", "Patient/ada/_history")
        answers = [nurse.get(path) for path in paths]

        assert {one.status for one in answers} == ({503} if required else {200})
        assert not required or "audit log" in answers[0].issues[0]

    def test_nothing_is_written_without_its_row_either_way(self, nurse) -> None:
        answer = nurse.update({"resourceType": "Patient", "id": "cy"})

        assert answer.status >= 400
        assert nurse.get("Patient/cy").status == 404

    def test_what_is_refused_is_refused_as_ever(self, nurse) -> None:
        assert nurse.get("Condition/1").status == 403

    def test_those_who_are_not_audited_notice_nothing(self, fyr_client) -> None:
        assert fyr_client.get("Patient/ada").status == 200


class TestBuffered:
    @pytest.fixture
    def fyr_options(self):
        settings = {"durable": False, "flush_seconds": 60, "buffer": 2}
        return {
            "plugins": {"enabled": ["search", "audit"]},
            "plugin": {"audit": settings},
        }

    def test_what_waits_is_kept_when_the_server_stops(
        self, fyr_settings, fyr_clock, tmp_path
    ) -> None:
        url = {"url": f"sqlite://{tmp_path}/fyr.db"}
        options = {
            "plugins": fyr_settings.plugins.model_dump(),
            "plugin": fyr_settings.plugin,
            "store": url,
        }
        settings = settings_with(options, tmp_path / "data")
        from fyr.core.testing.applications import client_of

        with application(settings, fyr_clock) as first:
            client_of(first).acting_as(NURSE).get("Patient")
        with application(settings, fyr_clock) as second:
            assert Log(second).one()["subtype"][0]["code"] == "search-type"

    def test_requests_are_refused_when_too_many_wait(self, nurse, log) -> None:
        answers = [nurse.get("Patient/ada").status for _ in range(4)]

        assert answers == [200, 200, 503, 503]

    def test_a_write_is_kept_with_its_event_at_once(self, nurse, log) -> None:
        nurse.update({"resourceType": "Patient", "id": "ada"})

        assert log.one()["action"] == "U"


class TestNotRequired:
    @pytest.fixture
    def fyr_options(self):
        settings = {"durable": False, "required": False, "buffer": 1}
        return {
            "plugins": {"enabled": ["search", "audit"]},
            "plugin": {"audit": {**settings, "flush_seconds": 60}},
        }

    def test_requests_are_answered_that_cannot_be_audited(self, nurse) -> None:
        assert {nurse.get("Patient/ada").status for _ in range(3)} == {200}


def test_a_log_that_nobody_would_be_told_of_stops_the_start(
    fyr_clock, tmp_path
) -> None:
    options = {
        "plugins": {"enabled": ["audit"]},
        "plugin": {"audit": {"file": None}},
    }

    with (
        pytest.raises(PluginError, match="nobody would be told"),
        application(settings_with(options, tmp_path), fyr_clock),
    ):
        pass
