"""``_text`` and ``_content`` as SQL: the index finds words, the text itself phrases.

https://sqlite.org/fts5.html#full_text_query_syntax,
https://www.postgresql.org/docs/current/datatype-textsearch.html#DATATYPE-TSQUERY. Words
are letters and digits only, so nothing in them can be taken for an operator.
"""

from collections.abc import Callable

from fyr.search.finding.comparing import Sql, joined
from fyr.search.full_text.queries import Branch, Phrase
from fyr.search.tree import FullText

#: Where the texts of a parameter stand.
_COLUMNS = {"_text": ("narrative",), "_content": ("narrative", "content")}


def full_text(dialect: str, wanted: FullText) -> Sql:
    """Select the ``pid`` of what has the words of one of the branches, of any type."""
    tell = _DIALECTS[dialect]
    return joined((tell(wanted.name, one) for one in wanted.branches), " UNION ")


def _sqlite(name: str, branch: Branch) -> Sql:
    match = " AND ".join(_among(one, '"', " *", " AND ") for one in branch.all)
    none = [_among(one, '"', " *", "") for one in branch.none if one.single]
    if none:
        match = f"({match}) NOT ({' OR '.join(none)})"
    if name == "_text":
        match = f"narrative : ({match})"
    phrases = _phrases(name, branch, "instr")
    return Sql(
        f"SELECT rowid AS pid FROM full_text WHERE full_text MATCH ?{phrases.text}",
        (match, *phrases.values),
    )


def _postgresql(name: str, branch: Branch) -> Sql:
    parts = [_among(one, "'", ":*", " & ") for one in branch.all]
    parts += ["!" + _among(one, "'", ":*", "") for one in branch.none if one.single]
    column = "narrative_words" if name == "_text" else "content_words"
    phrases = _phrases(name, branch, "strpos")
    return Sql(
        f"SELECT pid FROM full_text WHERE {column} @@ CAST(? AS tsquery){phrases.text}",
        (" & ".join(parts), *phrases.values),
    )


def _among(phrase: Phrase, quote: str, begun: str, word: str) -> str:
    """Ask for all words of a phrase."""
    asked = [f"{quote}{one}{quote}" for one in phrase.words]
    if phrase.begun:
        asked[-1] += begun
    return word.join(asked)


def _phrases(name: str, branch: Branch, finder: str) -> Sql:
    """Say what the text itself must have, beyond single words."""
    text = ""
    values: list[str] = []
    for word, phrases in (("AND", branch.all), ("AND NOT", branch.none)):
        for one in phrases:
            if one.single:
                continue
            within = [f"{finder}({column}, ?) > 0" for column in _COLUMNS[name]]
            text += f" {word} ({' OR '.join(within)})"
            values += [one.within] * len(within)
    return Sql(text, tuple(values))


_DIALECTS: dict[str, Callable[[str, Branch], Sql]] = {
    "sqlite": _sqlite,
    "postgresql": _postgresql,
}
