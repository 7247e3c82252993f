"""No search, and no history, reads a whole table: what the databases say themselves."""

from typing import Any
from urllib.parse import parse_qsl

import pytest

from fyr.core.clock import utc_now
from fyr.core.store.port import Stored
from fyr.core.store.versions import history_sql
from fyr.search.extraction.places import Places
from fyr.search.finding.conditions import Conditions
from fyr.search.finding.containers import read_contained
from fyr.search.finding.explaining import Recorder
from fyr.search.finding.finder import Finder
from fyr.search.finding.following import included_sql
from fyr.search.finding.plans import Plan, Sizes, together
from fyr.search.parameters import Parameters
from fyr.search.tree import AllBut, Match, OneOf, Query, Source
from fyr.search.understanding.compartments import within
from fyr.search.understanding.known import Known
from fyr.search.understanding.operands import Operands
from fyr.search.understanding.query import QueryParser

QUERIES = [
    ("Patient", ""),
    ("Patient", "_id=a,b"),
    ("Patient", "_lastUpdated=gt2024"),
    ("Patient", "identifier=http://s|1"),
    ("Patient", "identifier=1&family=x&gender=male"),
    ("Patient", "family=x"),
    ("Patient", "family:exact=x"),
    ("Patient", "family:contains=x"),
    ("Patient", "_list=42"),
    ("Patient", "_filter=family sw x or gender eq male"),
    ("Patient", "_filter=not (gender ne male) and birthdate po 2020"),
    ("Observation", "_filter=subject[gender eq male].name co x or status eq final"),
    ("Patient", "gender:not=male"),
    ("Patient", "gender:missing=true"),
    ("Observation", "code:missing=true"),
    ("Observation", "subject=Patient/1&code:missing=false"),
    ("Patient", "birthdate=ge1980&birthdate=lt1990"),
    ("Patient", "birthdate=1980"),
    ("Patient", "organization=Organization/1"),
    ("Patient", "organization.name=x"),
    ("Observation", "subject:Patient.organization.partof.name=x"),
    ("Observation", "subject:Patient.organization.name:missing=true"),
    ("Patient", "_has:Observation:subject:code=x"),
    ("Patient", "family=x&_sort=-birthdate,_id"),
    ("Observation", "patient=1&date=ge2020&_sort=-date"),
    ("Observation", "value-quantity=gt5||kg"),
    ("Observation", "value-quantity=gt5|http://unitsofmeasure.org|g,3||x"),
    ("Observation", "component-code-value-quantity=http://s|1$gt5||kg"),
    ("Observation", "component-code-value-quantity=1$5|http://unitsofmeasure.org|g"),
    ("Observation", "component-code-value-concept=1$http://s|2"),
    ("Observation", "combo-code-value-quantity=1$5,2$6"),
    ("Observation", "combo-code-value-quantity:missing=true"),
    ("Observation", "code-value-date=1$2024"),
    ("MolecularSequence", "chromosome-variant-coordinate=1$ge2$3"),
    ("Location", "near=55|12|5|km"),
    ("Location", "near:missing=true"),
    ("RiskAssessment", "probability=gt0.5"),
    ("ValueSet", "url=http://x"),
    ("ValueSet", "url:below=http://x"),
    ("ValueSet", "url:above=http://x/y/z"),
    ("Observation", "code:text=x"),
    ("Patient", "identifier:of-type=http://s|a|1"),
    ("Procedure", "location:below=1"),
    ("Procedure", "location:above=1"),
]
KNOWN = Known(Parameters(), Places(Parameters()), Operands(utc_now, str))
PARSER = QueryParser(
    KNOWN,
    default_count=20,
    max_count=200,
)


#: Names of what a statement has found itself.
SETS = ("p", "c", "d", "h", "s", "i", "u", "w", "way", "json_each", "CONSTANT")


def plan(library: Any, text: str, values: Any) -> str:
    def work(session: Any) -> str:
        if session.dialect == "sqlite":
            rows = session.rows(f"EXPLAIN QUERY PLAN {text}", values)
            return "\n".join(row[3] for row in rows)
        # So few rows that reading all would be right: take that choice away.
        session.rows("SELECT set_config('enable_seqscan', 'off', true)")
        return "\n".join(row[0] for row in session.rows(f"EXPLAIN {text}", values))

    return str(library.database.write(work))


def whole_tables(plan: str) -> list[str]:
    """The lines that read a table from its first row to its last."""
    return [
        line
        for line in plan.splitlines()
        if "Seq Scan" in line
        or (line.startswith("SCAN ") and line.split()[1] not in SETS)
    ]


@pytest.mark.parametrize("after", [False, True], ids=["first", "next"])
@pytest.mark.parametrize(("kind", "text"), QUERIES)
def test_a_page_is_read_by_an_index(
    library: Any, kind: str, text: str, after: bool
) -> None:
    query = PARSER.parse([kind], parse_qsl(text), lenient=False)
    keys: list[Any] = ["x" if key.name == "_id" else 0 for key in query.sort] + [7]
    for chosen in (Plan(None, together(query.criteria), True), planned(library, query)):
        if chosen.ordered and len(query.sort) != 1:
            continue
        finder = Finder(library.database.dialect, query, chosen)
        for sql in finder.page(keys if after else None):
            told = plan(library, sql.text, sql.values)

            assert whole_tables(told) == [], told


def planned(library: Any, query: Query) -> Plan:
    """Begin from the first criterion that can be begun from, as for a small set."""
    criteria = together(query.criteria)
    conditions = Conditions(library.database.dialect)
    for first in criteria:
        if conditions.pids(first, query.types) is not None:
            return Plan(first, tuple(one for one in criteria if one is not first))
    return Plan(None, criteria)


@pytest.mark.parametrize("negated", [False, True])
@pytest.mark.parametrize(
    "operands", [(OneOf((("a", 1), ("a", 2))),), (AllBut(1, ("a",)), AllBut(2, ()))]
)
def test_the_codes_of_a_value_set_are_looked_up_in_an_index(
    library: Any, operands: Any, negated: bool
) -> None:
    sources = (Source("idx_token", 1), Source("idx_token", 2))
    match = Match(sources, operands, negated=negated)
    query = Query(("Observation",), [match], count=20)
    finder = Finder(library.database.dialect, query, planned(library, query))
    (sql,) = finder.page(None)

    told = plan(library, sql.text, sql.values)

    assert whole_tables(told) == [], told
    if library.database.dialect == "sqlite" and not negated:
        assert ("AND code=?" in told) == isinstance(operands[0], OneOf), told


@pytest.mark.parametrize("types", [["Observation"], ["Patient", "Observation"]])
def test_a_compartment_is_read_by_an_index(library: Any, types: list[str]) -> None:
    query = PARSER.parse(types, [], lenient=False)
    query.criteria.append(within(KNOWN, ("Patient", "1"), types))
    finder = Finder(library.database.dialect, query, planned(library, query))
    (sql,) = finder.page(None)

    told = plan(library, sql.text, sql.values)

    assert whole_tables(told) == [], told


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("Observation", "_include=Observation:subject&_include=Observation:*"),
        ("Observation", "_include=*&_include=Observation:performer:Practitioner"),
        ("PlanDefinition", "_include=PlanDefinition:definition"),
        ("Patient", "_revinclude=Observation:subject&_revinclude=Encounter:*"),
        ("Patient", "_revinclude=*"),
        ("ActivityDefinition", "_revinclude=PlanDefinition:definition"),
    ],
)
def test_included_resources_are_read_by_an_index(
    library: Any, kind: str, text: str
) -> None:
    query = PARSER.parse([kind], parse_qsl(text), lenient=False)
    begin = [Stored(n, kind, f"id-{n}", 1, 0, "PUT", None) for n in (1, 2, 3)]
    sql = included_sql(query.includes, begin, None, 10)

    told = plan(library, sql.text, sql.values)

    assert whole_tables(told) == [], told


@pytest.mark.parametrize("before", [None, (1, 2, 3)], ids=["first", "next"])
@pytest.mark.parametrize("at", [None, (1, 2)], ids=["all", "at"])
@pytest.mark.parametrize("since", [None, 1], ids=["ever", "since"])
@pytest.mark.parametrize(
    ("kind", "identity"), [(None, None), ("Patient", None), ("Patient", "1")]
)
def test_a_page_of_history_is_read_by_an_index_of_each_table(
    library: Any, kind: Any, identity: Any, since: Any, at: Any, before: Any
) -> None:
    sql, values = history_sql(kind, identity, since, at, before, 20)

    told = plan(library, sql, values)

    # From its end, and no further than the page goes.
    whole = [line for line in whole_tables(told) if not line.endswith("_by_time")]
    assert whole == [], told
    assert told.count("_by_time") == 2 or kind


# PostgreSQL chooses by what it knows of its tables.
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_sqlite_looks_references_up_by_what_they_lead_to(library: Any) -> None:
    query = PARSER.parse(["Patient"], [("organization.name", "x")], lenient=False)
    finder = Finder(library.database.dialect, query, planned(library, query))
    (sql,) = finder.page(None)

    told = plan(library, sql.text, sql.values)

    assert "target_id=" in told, told


def test_a_whole_table_would_be_noticed(library: Any) -> None:
    told = plan(library, "SELECT body FROM version WHERE method = ?", ("PUT",))

    assert whole_tables(told)


@pytest.mark.parametrize("value", ["true", "both"])
@pytest.mark.parametrize("kind", ["container", "contained"])
@pytest.mark.parametrize("text", ["", "family=x&gender=male", "gender:not=male"])
def test_contained_resources_are_read_by_an_index(
    library: Any, text: str, kind: str, value: str
) -> None:
    pairs = [*parse_qsl(text), ("_contained", value), ("_containedType", kind)]
    query = PARSER.parse(["Patient"], pairs, lenient=False)

    def work(session: Any) -> list[Any]:
        recorder = Recorder(session)
        read_contained(recorder, query, None, Sizes(), None)
        return recorder.asked

    for sql, values, _, _ in library.database.read(work):
        told = plan(library, sql, values)
        assert whole_tables(told) == [], told
