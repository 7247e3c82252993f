"""The Elasticsearch adapter, by the official client; for servers 8 and 9.

A generation has an index for each type, ``fyr-observation-000003``; readers ask the alias
``fyr-observation``. Mappings are explicit and strict; settings come by an index template,
which also forbids that an index is made by writing to it. A deleted resource keeps a document
without values, which the alias leaves out: a deletion that Elasticsearch notes itself is
forgotten after a minute, and something older could come back. Only what the core of
Elasticsearch has is used.

https://www.elastic.co/guide/en/elasticsearch/reference/8.19/rest-apis.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any, NoReturn

import orjson
from elastic_transport import ConnectionTimeout, TransportError
from elasticsearch import ApiError, Elasticsearch, SerializationError

from fyr.core.errors import FyrError, Invalid, TookTooLong, Unavailable
from fyr.core.projections import COMMON, Projection
from fyr.search.reporting.port import Document, NoSuchGeneration, Refusal

#: Ids and versions that are read at a time.
_PAGE = 5_000
_KEEP_ALIVE = "2m"
#: Bytes of one bulk request, about; a document is a few hundred.
_BULK_BYTES = 5_000_000
#: Indices that are made at a time; the cluster takes them together.
_AT_ONCE = 8
_NAME = re.compile(r"(?P<type>[a-z]+)-(?P<generation>\d{6,})")
#: What Elasticsearch repeats of a document that it refuses.
_PREVIEW = re.compile(
    r"\. Preview of field's value: '.*'|; prefix of the first.*", re.DOTALL
)

_DELETED = "deleted"
_ALIVE = {"bool": {"must_not": {"term": {_DELETED: True}}}}
_FIELDS: Mapping[str, Mapping[str, Any]] = {
    "keyword": {"type": "keyword"},
    "number": {"type": "double"},
    "date": {"type": "date", "format": "epoch_millis"},
    "boolean": {"type": "boolean"},
    # Words come apart by spaces, folded already, so that both adapters find the same.
    "text": {"type": "text", "analyzer": "whitespace"},
}


class ElasticsearchIndex:
    """Documents in a cluster; safe to share between threads."""

    kind = "elasticsearch"

    def __init__(
        self,
        url: str,
        *,
        prefix: str = "fyr",
        username: str = "",
        password: str = "",
        api_key: str = "",
        ca: str = "",
        timeout_seconds: float = 30.0,
        shards: int = 1,
        replicas: int = 1,
    ) -> None:
        """Take where it is; nothing is asked of it yet.

        :param prefix: what all its indices begin with.
        :param ca: file of certificates that vouch for it; empty: the system's.
        """
        options: dict[str, Any] = {
            "request_timeout": timeout_seconds,
            "max_retries": 0,
            "retry_on_status": (),
        }
        if api_key:
            options["api_key"] = api_key
        elif username:
            options["basic_auth"] = (username, password)
        if ca:
            options["ca_certs"] = ca
        self.client = Elasticsearch(url, **options)
        self._prefix = prefix
        self._settings = {
            "number_of_shards": shards,
            "number_of_replicas": replicas,
            "refresh_interval": "1s",
        }
        self._types: dict[str, str] = {}

    def alias(self, type: str) -> str:
        """Tell what readers ask for a type."""
        return f"{self._prefix}-{type.lower()}"

    def search(
        self, type: str, body: Mapping[str, Any], *, seconds: float = 0.0
    ) -> dict[str, Any]:
        """Search the documents of a type that are shown.

        :param body: as Elasticsearch has it, without ``timeout``.
        :param seconds: it is ended after that time; 0: when the client gives up.
        :raises fyr.core.errors.TookTooLong: it was.
        :raises fyr.core.errors.Invalid: Elasticsearch does not take it.
        :raises NoSuchGeneration: none is shown that has the type, or the point in time
            is over.
        """
        sent = dict(body)
        client = self.client
        if seconds:
            sent["timeout"] = f"{max(1, int(seconds * 1000))}ms"
            client = client.options(request_timeout=seconds + 5)
        with _told():
            found = client.search(
                # A point in time tells the index itself.
                index=None if "pit" in sent else self.alias(type),
                body=sent,
                allow_partial_search_results=False,
            )
        answer: dict[str, Any] = found.body
        if answer.get("timed_out"):
            raise TookTooLong("it takes the index too long: ask for less at a time")
        return answer

    def open_point(self, type: str, keep_alive: str) -> str:
        """Hold the documents of a type as they are now, for ``pit`` of :meth:`search`.

        :param keep_alive: how long, as Elasticsearch has it; each search may add to it.
        :raises NoSuchGeneration: none is shown that has the type.
        """
        with _told():
            found = self.client.open_point_in_time(
                index=self.alias(type), keep_alive=keep_alive
            )
        return str(found["id"])

    def close_point(self, point: str) -> None:
        """Let go of what :meth:`open_point` holds; else it ends by itself."""
        with suppress(ApiError, TransportError):
            self.client.close_point_in_time(id=point)

    def create(self, generation: int, projections: Mapping[str, Projection]) -> None:
        """Make an index for each type, several at a time."""
        with _told():
            self.client.indices.put_index_template(
                name=self._prefix,
                index_patterns=[f"{self._prefix}-*"],
                allow_auto_create=False,
                priority=500,
                template={"settings": self._settings},
            )

        def make(projection: Projection) -> None:
            with suppress(_Existing), _told():
                self.client.indices.create(
                    index=self._index(projection.type, generation),
                    mappings=_mappings(projection),
                )

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(make, projections.values()))

    def put(self, generation: int, documents: Sequence[Document]) -> list[Refusal]:
        """Keep documents, by bulk requests with versions of their own."""
        refused: list[Refusal] = []
        for part in self._parts(generation, documents):
            refused.extend(self._bulk(*part))
        return refused

    def show(self, generation: int) -> None:
        """Move the aliases, all in one step."""
        there = self._indices()
        chosen = {name for name, (_, number) in there.items() if number == generation}
        if not chosen:
            raise NoSuchGeneration(f"there is no generation {generation}")
        actions: list[dict[str, Any]] = []
        for name, (alias, _) in there.items():
            if name in chosen:
                add = {"index": name, "alias": alias, "filter": _ALIVE}
                actions.append({"add": add})
            else:
                off = {"index": name, "alias": alias, "must_exist": False}
                actions.append({"remove": off})
        with _told():
            self.client.indices.update_aliases(actions=actions)

    def shown(self) -> int | None:
        """Tell which generation the aliases lead to."""
        with _told():
            found = self.client.indices.get_alias(
                index=f"{self._prefix}-*", expand_wildcards="all"
            )
        for name, told in found.body.items():
            known = self._read(name)
            if known is not None and known[0] in told["aliases"]:
                return known[1]
        return None

    def generations(self) -> list[int]:
        """Tell all of which there is an index."""
        return sorted({number for _, number in self._indices().values()})

    def drop(self, generation: int) -> None:
        """Remove the indices of a generation."""
        names = [
            n for n, (_, number) in self._indices().items() if number == generation
        ]
        if names:
            with _told():
                self.client.indices.delete(
                    index=",".join(names), ignore_unavailable=True
                )

    def refresh(self) -> None:
        """Have all that was written searched from now on."""
        with _told():
            self.client.indices.refresh(index=f"{self._prefix}-*")

    def counts(self, generation: int) -> dict[str, int]:
        """Count the documents of each type."""
        found = {
            name: self._type_of(name)
            for name, (_, number) in self._indices().items()
            if number == generation
        }
        if not found:
            raise NoSuchGeneration(f"there is no generation {generation}")
        with _told():
            return {
                kind: int(self.client.count(index=name, query=_ALIVE)["count"])
                for name, kind in found.items()
            }

    def versions(self, generation: int, type: str) -> Iterator[tuple[str, int]]:
        """Give ids and versions, at a point in time."""
        index = self._index(type, generation)
        with _told():
            pit = self.client.open_point_in_time(index=index, keep_alive=_KEEP_ALIVE)
        point = pit["id"]
        after: list[Any] | None = None
        try:
            while True:
                with _told():
                    found = self.client.search(
                        size=_PAGE,
                        query=_ALIVE,
                        sort=[{"id": "asc"}],
                        pit={"id": point, "keep_alive": _KEEP_ALIVE},
                        search_after=after,
                        source=False,
                        docvalue_fields=[{"field": "version"}],
                        track_total_hits=False,
                    )
                point = found["pit_id"]
                hits = found["hits"]["hits"]
                for hit in hits:
                    yield hit["_id"], int(hit["fields"]["version"][0])
                if len(hits) < _PAGE:
                    return
                after = hits[-1]["sort"]
        finally:
            with suppress(ApiError, TransportError):
                self.client.close_point_in_time(id=point)

    def health(self) -> str:
        """Tell what is wrong, if anything is; waits for two seconds at most."""
        try:
            with _told():
                quick = self.client.options(request_timeout=2)
                found = quick.cluster.health(timeout="1s")
        except FyrError as error:
            return str(error)
        if found["status"] == "red":
            return "Elasticsearch has indices that cannot be used (red)"
        return ""

    def close(self) -> None:
        """Close the connections."""
        self.client.close()

    def _index(self, type: str, generation: int) -> str:
        return f"{self.alias(type)}-{generation:06}"

    def _read(self, name: str) -> tuple[str, int] | None:
        """Tell alias and generation of an index; ``None``: it is not one of these."""
        found = _NAME.fullmatch(name.removeprefix(f"{self._prefix}-"))
        if found is None or not name.startswith(f"{self._prefix}-"):
            return None
        return f"{self._prefix}-{found['type']}", int(found["generation"])

    def _indices(self) -> dict[str, tuple[str, int]]:
        with _told():
            found = self.client.indices.get_alias(
                index=f"{self._prefix}-*", expand_wildcards="all"
            )
        known = {name: self._read(name) for name in found.body}
        return {name: one for name, one in known.items() if one is not None}

    def _type_of(self, index: str) -> str:
        """Tell the resource type of an index, as it is written."""
        if index not in self._types:
            with _told():
                found = self.client.indices.get_mapping(index=index)
            self._types[index] = found[index]["mappings"]["_meta"]["type"]
        return self._types[index]

    def _parts(
        self, generation: int, documents: Sequence[Document]
    ) -> Iterator[tuple[list[bytes], list[Document]]]:
        """Write documents down, not too many in one request."""
        lines: list[bytes] = []
        part: list[Document] = []
        size = 0
        for one in documents:
            index = self._index(one.type, generation)
            source = _source(one)
            lines += (_action(index, one), source)
            part.append(one)
            size += len(source)
            if size >= _BULK_BYTES:
                yield lines, part
                lines, part, size = [], [], 0
        if part:
            yield lines, part

    def _bulk(
        self, lines: Sequence[bytes], documents: Sequence[Document]
    ) -> list[Refusal]:
        # Written already; the client's serializer takes that, its types do not say so.
        operations: Any = lines
        with _told():
            found = self.client.bulk(
                operations=operations,
                filter_path=["errors", "items.*.status", "items.*.error"],
            )
        if not found.body["errors"]:
            return []
        results = [next(iter(item.values())) for item in found.body["items"]]
        told = zip(documents, results, strict=True)
        return [refusal for one, result in told if (refusal := _refusal(one, result))]


def _mappings(projection: Projection) -> dict[str, Any]:
    fields = {one.name: dict(_FIELDS[one.type]) for one in projection.columns}
    common = {one.name: dict(_FIELDS[one.type]) for one in COMMON}
    common["version"] = {"type": "long"}
    return {
        "dynamic": "strict",
        "_meta": {"type": projection.type},
        "properties": {**common, _DELETED: {"type": "boolean"}, **fields},
    }


def _action(index: str, one: Document) -> bytes:
    return orjson.dumps(
        {
            "index": {
                "_index": index,
                "_id": one.id,
                "version": one.version,
                # What is repeated may heal; what is older does nothing.
                "version_type": "external_gte",
            }
        }
    )


def _source(one: Document) -> bytes:
    known = {"id": one.id, "version": one.version}
    if one.values is None:
        return orjson.dumps({**known, _DELETED: True})
    return orjson.dumps({**known, **one.values})


def _refusal(one: Document, result: Mapping[str, Any]) -> Refusal | None:
    """Tell whether a document was refused for good.

    :raises Unavailable: not for good.
    :raises NoSuchGeneration: there is no index of it.
    """
    status, error = result["status"], result.get("error")
    # 409: something newer is there.
    if error is None or status == 409:
        return None
    reason = _reason(error)
    if status == 404:
        raise NoSuchGeneration(reason)
    if status == 429 or status >= 500:
        raise Unavailable(f"Elasticsearch cannot take it now: {reason}")
    return Refusal(one.type, one.id, one.version, reason)


def _reason(error: Any) -> str:
    """Say what an error of Elasticsearch says, without the value that it is about."""
    if not isinstance(error, Mapping):
        return str(error)[:500]
    told = str(error.get("reason") or error.get("type") or "")
    cause = error.get("caused_by")
    if isinstance(cause, Mapping) and cause.get("type"):
        told = f"{told} ({cause['type']})"
    return _PREVIEW.sub("", told)[:500]


class _Existing(FyrError):
    """An index of the name is there."""


@contextmanager
def _told() -> Iterator[None]:
    """Let none of the client's exceptions out."""
    try:
        yield
    except ApiError as error:
        _tell(error)
    except ConnectionTimeout as error:
        raise TookTooLong("it takes Elasticsearch too long") from error
    except (TransportError, SerializationError) as error:
        raise Unavailable(
            f"Elasticsearch cannot be reached: {type(error).__name__}"
        ) from error


def _tell(error: ApiError) -> NoReturn:
    status = error.status_code
    body = error.body if isinstance(error.body, Mapping) else {}
    told = body.get("error", {})
    kind = told.get("type", "") if isinstance(told, Mapping) else ""
    reason = _reason(told)
    if kind == "resource_already_exists_exception":
        raise _Existing(reason) from error
    if kind in ("index_not_found_exception", "search_context_missing_exception"):
        raise NoSuchGeneration(reason) from error
    if status in (401, 403):
        raise Unavailable("Elasticsearch refuses the credentials of [reporting]") from (
            error
        )
    if status in (408, 429) or status >= 500:
        raise Unavailable(f"Elasticsearch cannot answer now: {reason}") from error
    if status == 400:
        raise Invalid(f"Elasticsearch refuses a request: {reason}") from error
    raise FyrError(f"Elasticsearch refuses a request: {reason}") from error
