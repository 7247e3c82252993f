"""All official R4 examples: stored, read back the same, found, changed, told about.

Another's plugin, a single file in a folder, is in the way of each write.
"""

import json
import tarfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import orjson
import pytest

from fyr.core.testing.lossless import differences
from fyr.core.testing.process import fyr_output, fyr_process

PACKAGE = (
    Path(__file__).parents[3] / "shared" / "data" / "hl7.fhir.r4.examples-4.0.1.tgz"
)
pytestmark = pytest.mark.skipif(
    not PACKAGE.exists(), reason=f"{PACKAGE.name} is not at hand"
)

TOO_LONG = (
    "SearchParameter/questionnaireresponse-extensions-"
    "QuestionnaireResponse-item-subject"
)
#: Examples that break the rules of R4 themselves.
REFUSED = {
    "DeviceMetric/example",
    "DeviceUseStatement/example",
    "ImplementationGuide/fhir",
    "MedicationRequest/medrx0301",
    "Observation/clinical-gender",
    "Questionnaire/qs1",
    TOO_LONG,
    *(
        f"SearchParameter/{kind.lower()}-extensions-{kind}-{what}"
        for kind in ("CodeSystem", "ValueSet")
        for what in ("author", "effective", "end", "keyword", "workflow")
    ),
}
TAG = {"system": "http://third-party.example/marks", "code": "changed"}
#: Tells of each write, and marks what is changed.
PLUGIN = f"""
import os
from pathlib import Path

from fyr.core import hookimpl

SEEN = os.open(Path(__file__).parents[1] / "seen", os.O_CREAT | os.O_APPEND | os.O_WRONLY)


@hookimpl
def before_store(context, session, old, new):
    if old is not None:
        new["meta"].setdefault("tag", []).append({TAG!r})
    os.write(SEEN, f"{{new['resourceType']}}/{{new['id']}} {{old is None}}\\n".encode())
"""
CONNECTIONS = 4


@dataclass
class Server:
    """A running Fyr, and a client for several threads."""

    client: httpx.Client
    folder: Path
    settings: dict[str, str]

    def send(
        self, method: str, path: str, body: bytes | None = None, kind: str = "fhir+json"
    ) -> tuple[int, bytes]:
        """Send a request; tell its answer's status and body."""
        headers = {"Content-Type": f"application/{kind}"}
        if method == "PUT":
            headers["Prefer"] = "return=minimal"
        answer = self.client.request(method, path, content=body, headers=headers)
        return answer.status_code, answer.content

    def found(self, type_name: str, **query: str) -> list[str]:
        """Search; tell the ids of what was found, on one page."""
        status, body = self.send("GET", f"{type_name}?{urlencode(query)}&_count=200")
        assert status == 200, body
        bundle = orjson.loads(body)
        return [entry["resource"]["id"] for entry in bundle.get("entry", [])]

    def types_with(self, parameter: str) -> set[str]:
        """Tell which types say that a search parameter finds them."""
        statement = orjson.loads(self.send("GET", "metadata")[1])
        return {
            one["type"]
            for one in statement["rest"][0]["resource"]
            if parameter in (each["name"] for each in one.get("searchParam", []))
        }


@pytest.fixture(scope="module")
def examples(store_url: str) -> dict[str, bytes]:
    """Every example by type and id; on PostgreSQL those that are not huge."""
    largest = 10**9 if store_url.startswith("sqlite") else 300_000
    found = {}
    with tarfile.open(PACKAGE) as package:
        for member in package:
            name = Path(member.name).name
            if name.endswith(".json") and name not in ("package.json", ".index.json"):
                content = package.extractfile(member)
                assert content is not None
                body = content.read()
                resource = orjson.loads(body)
                if "resourceType" in resource and len(body) <= largest:
                    found[f"{resource['resourceType']}/{resource['id']}"] = body
    return found


@pytest.fixture(scope="module")
def server(
    store_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """Fyr with the plugin of somebody else."""
    folder = tmp_path_factory.mktemp("fyr")
    (folder / "plugins").mkdir()
    (folder / "plugins" / "third_party.py").write_text(PLUGIN)
    settings = {
        "STORE__URL": store_url,
        "PLUGINS__FOLDER": "plugins",
        "SERVER__WORKERS": "2",
    }
    with (
        fyr_process(folder, settings=settings) as running,
        httpx.Client(base_url=running.base, timeout=120) as client,
    ):
        yield Server(client, folder, settings)


def together(call: Callable[[str], Any], names: Any) -> dict[str, Any]:
    """Call for each name, several at a time."""
    names = list(names)
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        return dict(zip(names, pool.map(call, names), strict=True))


@pytest.fixture(scope="module")
def answers(server: Server, examples: dict[str, bytes]) -> dict[str, tuple[int, bytes]]:
    """What was answered to the PUT of each example."""
    return together(lambda name: server.send("PUT", name, examples[name]), examples)


@pytest.fixture(scope="module")
def stored(answers: dict[str, tuple[int, bytes]]) -> list[str]:
    """The names of what was stored."""
    return [name for name, (status, _) in answers.items() if status == 201]


def test_only_what_breaks_the_rules_is_refused(answers) -> None:
    refused = {name: status for name, (status, _) in answers.items() if status != 201}

    assert len(answers) > 5200
    assert set(refused) == REFUSED & set(answers)
    assert len(refused) >= 16
    assert set(refused.values()) == {400}
    # An id that is too long stands in the URL; the others have their problems inside.
    for name in set(refused) - {TOO_LONG}:
        issues = json.loads(answers[name][1])["issue"]
        assert all(issue["expression"] for issue in issues), name


def test_each_comes_back_as_it_was_sent(server, stored, examples) -> None:
    def compare(name: str) -> list[str]:
        status, body = server.send("GET", name)
        assert status == 200
        return differences(examples[name], body)

    changed = {name: places for name, places in together(compare, stored).items()}

    assert {name: places for name, places in changed.items() if places} == {}


def test_each_is_found_by_its_id(server, stored) -> None:
    by_type = defaultdict(list)
    for name in stored:
        type_name, _, identity = name.partition("/")
        by_type[type_name].append(identity)

    for type_name, ids in by_type.items():
        for start in range(0, len(ids), 50):
            some = ids[start : start + 50]
            found = server.found(type_name, _id=",".join(some), _elements="id")
            assert sorted(found) == sorted(some)


def test_those_with_an_identifier_are_found_by_it(server, stored, examples) -> None:
    searchable = server.types_with("identifier")
    tried = defaultdict(list)
    for name in stored:
        type_name, _, identity = name.partition("/")
        identifiers = orjson.loads(examples[name]).get("identifier")
        if isinstance(identifiers, list) and type_name in searchable:
            whole = [one for one in identifiers if "system" in one and "value" in one]
            if whole and len(tried[type_name]) < 5:
                token = f"{whole[0]['system']}|{whole[0]['value']}"
                tried[type_name].append((identity, token))

    missed = [
        f"{type_name}/{identity} by {token}"
        for type_name, cases in tried.items()
        for identity, token in cases
        if identity not in server.found(type_name, identifier=escaped(token))
    ]
    assert len(tried) > 50
    assert missed == []


def escaped(token: str) -> str:
    return token.replace(",", r"\,").replace("$", r"\$")


def test_changes_pass_the_plugin_and_are_told(server, stored, examples) -> None:
    some = {name.partition("/")[0]: name for name in stored}.values()
    patch = b'[{"op":"add","path":"/language","value":"da"}]'
    patched = together(
        lambda name: server.send("PATCH", name, patch, "json-patch+json"), some
    )
    events = [
        json.loads(line)
        for line in fyr_output(
            server.folder, "events", "tail", "--json", settings=server.settings
        ).splitlines()
    ]
    told = [(f"{one['type']}/{one['id']}", one["version"]) for one in events]
    seen = (server.folder / "seen").read_text().splitlines()

    assert {status for status, _ in patched.values()} == {200}
    for name, (_, body) in patched.items():
        resource = orjson.loads(body)
        assert resource["language"] == "da"
        assert TAG in resource["meta"]["tag"]
        type_name, _, identity = name.partition("/")
        token = f"{TAG['system']}|{TAG['code']}"
        assert server.found(type_name, _tag=token, _id=identity) == [identity]
    assert [one["position"] for one in events] == list(range(1, len(events) + 1))
    assert sorted(told) == sorted(
        [*((name, 1) for name in stored), *((name, 2) for name in some)]
    )
    assert {f"{name} True" for name in stored} <= set(seen)
    assert {f"{name} False" for name in some} <= set(seen)
