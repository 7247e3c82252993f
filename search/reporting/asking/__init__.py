"""Questions of analysts to the reporting index, as a small language in JSON.

In the order in which a question passes the modules: ``language`` (what may be asked, the
one declaration that reading, JSON Schema and docs come of), ``reading`` (all problems at
once), ``filters`` and ``tree`` (criteria in FHIR's search syntax), ``periods`` (calendars
in time zones), the compilers and those who run what they make (``sql``, ``elastic``),
``answering`` (having, sorting, pages), ``suppression`` (small groups), ``writing`` (JSON,
CSV, NDJSON). What it all means is told in ``docs/reporting.md``.
"""
