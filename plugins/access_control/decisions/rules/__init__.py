"""The decision table, a file for each service.

A table for each type, or several; ``[system]`` for what has none, and in ``anywhere.toml``,
which is about what all services have, ``[any]`` for all types. A row says:

- ``on``: interactions (``read vread search history create update patch delete``),
  operations (``$apply``), ``transaction``, or ``include``: how a resource is judged that a
  search includes; where there is none, as one that is read
- ``by``: user types beside SYSTEM, who needs the privilege and nothing else
- ``needs``: privileges, one of which is enough; ``{type}`` and ``{operation}`` stand for
  their names; none: all may
- ``if``: demands, all of which must hold
- ``source``: ``found`` in the published rules, ``inferred`` from them, or ``proposed``
  where they say nothing
- ``reaches``: parameters of other types that searches may go through
- ``writes``: types that an operation may write by its own privilege and demands

Of two rows about the same the first counts; what stands in no row is refused.
"""
