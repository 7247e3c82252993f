"""The files of a Bulk Data export, and how long they live."""

import gzip
from base64 import b64encode
from random import Random
from typing import Any

from fyr.core.app import Application
from fyr.core.testing.bulk import asked, begun, done, fetched, path_of
from fyr.core.testing.client import Client
from fyr.core.testing.clock import FakeClock
from fyr.core.testing.principals import PRACTITIONER, SYSTEM_USER

from .resources import observation, put


class TestFiles:
    def test_lines_are_what_a_read_serves(
        self, app: Application, filled: Client
    ) -> None:
        status = begun(filled, "$export?_type=Patient")
        app.worker().drain()
        (file,) = filled.get(status).json["output"]

        lines = filled.get(path_of(file["url"])).body.splitlines()

        assert lines == [filled.get(f"Patient/{one}").body for one in "ab"]

    def test_content_that_is_kept_as_a_blob_is_in_the_line(
        self, app: Application, http: Client
    ) -> None:
        large = [b64encode(Random(n).randbytes(400_000 + n)).decode() for n in range(2)]
        media = {"resourceType": "Media", "id": "m", "status": "completed"}
        put(
            http,
            {**media, "content": {"contentType": "image/png", "data": large[0]}},
            {**media, "id": "n", "content": {"title": "none"}},
            {
                "resourceType": "Binary",
                "id": "b",
                "contentType": "application/pdf",
                "data": large[1],
            },
        )

        got = done(app, http, "$export")

        by_id = {one["id"]: one for one in got.lines["output"]}
        assert by_id.keys() == {"m", "n", "b"}
        assert by_id["m"] == http.get("Media/m").json
        assert by_id["m"]["content"]["data"] == large[0]
        assert by_id["b"] == http.get("Binary/b").json
        assert by_id["b"]["data"] == large[1]

    def test_files_are_bounded_and_all_are_told(
        self, app: Application, http: Client
    ) -> None:
        entry = [
            {
                "resource": observation(f"o{number}"),
                "request": {"method": "PUT", "url": f"Observation/o{number}"},
            }
            for number in range(2500)
        ]
        bundle = {"resourceType": "Bundle", "type": "batch", "entry": entry}
        assert http.post("", bundle).status == 200

        got = done(app, http, "$export")

        assert [one["count"] for one in got.manifest["output"]] == [1000, 1000, 500]
        assert len(got.ids) == 2500

    def test_files_are_packed_for_those_who_take_gzip(
        self, app: Application, filled: Client
    ) -> None:
        status = begun(filled, "$export?_type=Patient")
        app.worker().drain()
        path = path_of(filled.get(status).json["output"][0]["url"])

        plain = filled.get(path)
        packed = filled.get(path, Accept_Encoding="gzip")
        part = filled.get(path, Range="bytes=5-9", Accept_Encoding="gzip")
        head = filled.request("HEAD", path)

        assert plain.headers["content-type"] == "application/fhir+ndjson"
        assert packed.headers["content-encoding"] == "gzip"
        assert gzip.decompress(packed.body) == plain.body
        assert packed.headers["etag"] != plain.headers["etag"]
        assert (part.status, part.body) == (206, plain.body[5:10])
        assert head.headers["content-length"] == str(len(plain.body))

    def test_the_manifest_tells_the_request_and_when(self, export: Any) -> None:
        manifest = export("$export?_type=Patient&_since=2020-01-01T00:00:00Z").manifest

        assert manifest["transactionTime"] == "2026-01-08T08:00:00.000Z"
        assert manifest["request"] == (
            "http://localhost/fhir/$export?_type=Patient&_since=2020-01-01T00:00:00Z"
        )
        assert manifest["requiresAccessToken"] is False
        assert (manifest["deleted"], manifest["error"]) == ([], [])


class TestLife:
    def test_progress_is_told_until_all_is_there(
        self, app: Application, filled: Client
    ) -> None:
        status = begun(filled, "$export")
        before = filled.get(status)
        app.worker().drain()
        after = filled.get(status)

        assert (before.status, before.body) == (202, b"")
        assert before.headers["retry-after"] == "5"
        assert before.headers["x-progress"] == "waiting"
        assert after.status == 200
        assert after.headers["content-type"] == "application/json"
        assert after.headers["expires"] == "Fri, 09 Jan 2026 08:00:00 GMT"

    def test_one_that_is_cancelled_is_never_done(
        self, app: Application, filled: Client
    ) -> None:
        status = begun(filled, "$export")

        assert filled.delete(status).status == 202
        app.worker().drain()
        assert filled.get(status).status == 404
        assert filled.delete(status).status == 404

    def test_files_go_with_a_delete(self, app: Application, filled: Client) -> None:
        status = begun(filled, "$export")
        app.worker().drain()
        path = path_of(filled.get(status).json["output"][0]["url"])
        filled.delete(status)

        assert filled.get(path).status == 404

    def test_a_task_is_not_told_when_its_time_is_over_though_nobody_tidied_up(
        self, app: Application, filled: Client, clock: FakeClock
    ) -> None:
        status = begun(filled, "$export")
        app.worker().drain()
        path = path_of(filled.get(status).json["output"][0]["url"])
        assert filled.get(path).status == 200
        clock.advance(days=2)

        assert filled.get(path).status == 404
        assert filled.get(status).status == 404

    def test_files_go_when_their_time_is_over(
        self, app: Application, filled: Client, clock: FakeClock
    ) -> None:
        status = begun(filled, "$export")
        app.worker().drain()
        clock.advance(hours=23)
        app.worker().drain()
        kept = fetched(filled, status)
        clock.advance(hours=2)
        app.worker().drain()
        clock.advance(hours=2)
        app.worker().drain()

        assert len(kept.ids) == 8
        assert filled.get(status).status == 404
        assert list(app.blobs.store.walk()) == []

    def test_only_so_many_are_going_on_for_one_caller(self, filled: Client) -> None:
        mine, other = filled.acting_as(SYSTEM_USER), filled.acting_as(PRACTITIONER)
        paths = [begun(mine, "$export") for _ in range(4)]

        refused = asked(mine, "$export")

        assert (refused.status, refused.headers["retry-after"]) == (429, "5")
        begun(other, "$export")
        mine.delete(paths[0])
        begun(mine, "$export")
