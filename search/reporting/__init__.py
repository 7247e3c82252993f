"""The reporting index: flat documents of resources, kept after the commit, for reports.

Nothing here is what a FHIR search finds resources by: that is ``extraction`` and
``indexing``. ``docs/reporting.md`` and ``docs/decisions/reporting-index.md``.
"""
