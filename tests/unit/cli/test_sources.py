"""Files that hold resources: each kind is taken apart, and what is broken is said."""

import gzip
import io
import tarfile
from pathlib import Path

import pytest

from fyr.core.cli.sources import Source, Unreadable, read, total_bytes


def package(folder: Path, files: dict[str, bytes]) -> Path:
    path = folder / "some.tgz"
    with tarfile.open(path, "w:gz") as tar:
        for name, body in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(body)
            tar.addfile(member, io.BytesIO(body))
    return path


def bodies(*paths: Path) -> list[bytes]:
    return [source.body for source in read(list(paths)) if isinstance(source, Source)]


def test_a_json_file_is_one_resource(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b"{}")

    assert bodies(tmp_path / "a.json") == [b"{}"]


@pytest.mark.parametrize("packed", [False, True])
def test_an_ndjson_file_is_a_resource_a_line(tmp_path: Path, packed: bool) -> None:
    content = b'{"a":1}\n\n{"b":2}\n'
    path = tmp_path / ("a.ndjson.gz" if packed else "a.ndjson")
    path.write_bytes(gzip.compress(content) if packed else content)

    found = list(read([path]))

    assert [s.body.strip() for s in found if isinstance(s, Source)] == [
        b'{"a":1}',
        b'{"b":2}',
    ]
    assert str(path) + ":3" == found[1].place  # type: ignore[union-attr]


def test_a_package_gives_its_resources_and_not_its_manifest(tmp_path: Path) -> None:
    path = package(
        tmp_path,
        {
            "package/package.json": b"no",
            "package/A.json": b"yes",
            "package/x.md": b"no",
        },
    )

    assert bodies(path) == [b"yes"]


def test_a_folder_gives_its_files_in_order(tmp_path: Path) -> None:
    (tmp_path / "b.json").write_bytes(b"2")
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.json").write_bytes(b"1")
    (tmp_path / "sub" / "c.xml").write_bytes(b"3")
    (tmp_path / "notes.txt").write_bytes(b"no")

    assert bodies(tmp_path) == [b"1", b"2", b"3"]


def test_a_broken_file_is_named_and_the_next_one_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.ndjson.gz").write_bytes(b"not gzip")
    (tmp_path / "b.json").write_bytes(b"2")

    found = list(read([tmp_path]))

    assert isinstance(found[0], Unreadable)
    assert found[0].place.endswith("a.ndjson.gz")
    assert isinstance(found[1], Source)


def test_a_package_that_ends_too_soon_is_named(tmp_path: Path) -> None:
    path = package(tmp_path, {"package/A.json": b"x" * 100_000})
    path.write_bytes(path.read_bytes()[:60])

    assert any(isinstance(found, Unreadable) for found in read([path]))


def test_what_was_read_is_counted_against_the_whole(tmp_path: Path) -> None:
    for name in ("a.json", "b.json"):
        (tmp_path / name).write_bytes(b"12345")

    last = list(read([tmp_path]))[-1]

    assert isinstance(last, Source)
    assert last.consumed == total_bytes([tmp_path]) == 10


def test_a_package_may_come_unpacked_as_tar(tmp_path: Path) -> None:
    packed = package(tmp_path, {"package/A.json": b"yes"})
    path = tmp_path / "some.tar"
    path.write_bytes(gzip.decompress(packed.read_bytes()))

    assert bodies(path) == [b"yes"]


def test_the_case_of_an_ending_has_no_meaning(tmp_path: Path) -> None:
    (tmp_path / "A.JSON").write_bytes(b"1")

    assert bodies(tmp_path) == [b"1"]
