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
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from elastic_transport import TransportError
from elasticsearch import ApiError, Elasticsearch

from fyr.core.declarations.projections import Projection
from fyr.core.errors import FyrError, TookTooLong
from fyr.search.reporting.elastic_documents import (
    DELETED,
    action,
    mappings,
    refusal_of,
    source_of,
)
from fyr.search.reporting.elastic_errors import Existing, in_our_words
from fyr.search.reporting.port import Document, NoSuchGeneration, Refusal

#: Ids and versions that are read at a time.
_PAGE = 5_000
_KEEP_ALIVE = "2m"
#: Bytes of one bulk request, about; a document is a few hundred.
_BULK_BYTES = 5_000_000
#: Indices that are made at a time; the cluster takes them together.
_AT_ONCE = 8
_NAME = re.compile(r"(?P<type>[a-z]+)-(?P<generation>\d{6,})")
_ALIVE = {"bool": {"must_not": {"term": {DELETED: True}}}}


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

        :param url: without a port it is that of its scheme.
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
        self.client = Elasticsearch(_with_port(url), **options)
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
        with in_our_words():
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
        with in_our_words():
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
        with in_our_words():
            self.client.indices.put_index_template(
                name=self._prefix,
                index_patterns=[f"{self._prefix}-*"],
                allow_auto_create=False,
                priority=500,
                template={"settings": self._settings},
            )

        def make(projection: Projection) -> None:
            with suppress(Existing), in_our_words():
                self.client.indices.create(
                    index=self._index(projection.type, generation),
                    mappings=mappings(projection),
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
        with in_our_words():
            self.client.indices.update_aliases(actions=actions)

    def shown(self) -> int | None:
        """Tell which generation the aliases lead to."""
        with in_our_words():
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
            with in_our_words():
                self.client.indices.delete(
                    index=",".join(names), ignore_unavailable=True
                )

    def refresh(self) -> None:
        """Have all that was written searched from now on."""
        with in_our_words():
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
        with in_our_words():
            return {
                kind: int(self.client.count(index=name, query=_ALIVE)["count"])
                for name, kind in found.items()
            }

    def versions(self, generation: int, type: str) -> Iterator[tuple[str, int]]:
        """Give ids and versions, at a point in time."""
        index = self._index(type, generation)
        with in_our_words():
            pit = self.client.open_point_in_time(index=index, keep_alive=_KEEP_ALIVE)
        point = pit["id"]
        after: list[Any] | None = None
        try:
            while True:
                with in_our_words():
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
            with in_our_words():
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
        with in_our_words():
            found = self.client.indices.get_alias(
                index=f"{self._prefix}-*", expand_wildcards="all"
            )
        known = {name: self._read(name) for name in found.body}
        return {name: one for name, one in known.items() if one is not None}

    def _type_of(self, index: str) -> str:
        """Tell the resource type of an index, as it is written."""
        if index not in self._types:
            with in_our_words():
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
            source = source_of(one)
            lines += (action(index, one), source)
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
        with in_our_words():
            found = self.client.bulk(
                operations=operations,
                filter_path=["errors", "items.*.status", "items.*.error"],
            )
        if not found.body["errors"]:
            return []
        results = [next(iter(item.values())) for item in found.body["items"]]
        told = zip(documents, results, strict=True)
        return [refusal for one, result in told if (refusal := refusal_of(one, result))]


def _with_port(url: str) -> str:
    """Name the port, which the client asks for also where it is the usual one."""
    parts = urlsplit(url)
    if parts.port is not None:
        return url
    port = 443 if parts.scheme == "https" else 80
    return parts._replace(netloc=f"{parts.netloc.rstrip(':')}:{port}").geturl()
