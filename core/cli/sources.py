"""Files that hold resources, one resource at a time: JSON, NDJSON, XML, packages, .gz.

FHIR packages are described at https://confluence.hl7.org/display/FHIR/NPM+Package+Specification.
"""

import gzip
import io
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

#: Endings that are read, without ``.gz``.
_LINES = (".ndjson", ".jsonl")
_SINGLE = (".json", ".xml")
_PACKAGES = (".tgz", ".tar.gz", ".tar")
#: Files of a package that are no resources.
_NOT_RESOURCES = ("package.json", ".index.json", "ig-r4.json")


@dataclass(frozen=True, slots=True)
class Source:
    """One resource as it was found: where, its bytes, whether they are XML.

    ``consumed`` counts the bytes of the files that were read up to here.
    """

    place: str
    body: bytes
    is_xml: bool = False
    in_package: bool = False
    consumed: int = 0


class Unreadable(Exception):
    """A file that is not what its name says; ``place`` is which."""

    def __init__(self, place: str, why: str) -> None:
        """Take the file's path, and what is the matter with it."""
        super().__init__(why)
        self.place = place


def total_bytes(paths: list[Path]) -> int:
    """Add up the sizes of the files that :func:`read` would open."""
    return sum(path.stat().st_size for path in _files(paths))


def read(paths: list[Path]) -> Iterator[Source | Unreadable]:
    """Go through files, and folders with all below them, in the order of their names.

    A file that cannot be read is yielded as :class:`Unreadable`, and the next one goes on.
    """
    consumed = 0
    for path in _files(paths):
        before = consumed
        try:
            with path.open("rb") as file:
                for source in _resources(path, file):
                    at = before + file.tell()
                    yield Source(
                        source.place, source.body, source.is_xml, source.in_package, at
                    )
        except (OSError, EOFError, tarfile.TarError, zlib.error) as error:
            yield Unreadable(str(path), _why(error))
        consumed = before + path.stat().st_size


def _files(paths: list[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(p for p in path.rglob("*") if p.is_file() and _known(p))
        else:
            yield path


def _known(path: Path) -> bool:
    name = path.name.lower().removesuffix(".gz")
    return name.endswith((*_LINES, *_SINGLE, *_PACKAGES))


def _why(error: Exception) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error)


def _resources(path: Path, file: IO[bytes]) -> Iterator[Source]:
    name = path.name.lower()
    if name.endswith(_PACKAGES):
        yield from _package(path, file)
        return
    stream: IO[bytes] = file
    if name.endswith(".gz"):
        stream, name = io.BufferedReader(gzip.GzipFile(fileobj=file)), name[:-3]
    if name.endswith(_LINES):
        for number, line in enumerate(stream, 1):
            if line.strip():
                yield Source(f"{path}:{number}", line)
    else:
        yield Source(str(path), stream.read(), name.endswith(".xml"))


def _package(path: Path, file: IO[bytes]) -> Iterator[Source]:
    mode: Literal["r|", "r|gz"] = "r|" if path.name.lower().endswith(".tar") else "r|gz"
    with tarfile.open(fileobj=file, mode=mode) as package:
        for member in package:
            name = Path(member.name).name
            if (
                not member.isfile()
                or name in _NOT_RESOURCES
                or not name.endswith(".json")
            ):
                continue
            content = package.extractfile(member)
            assert content is not None
            yield Source(f"{path.name}:{member.name}", content.read(), in_package=True)
