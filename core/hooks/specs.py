"""Every hook, in the order in which a request meets them.

``docs/hooks.md`` is generated from here: a docstring says what an implementation
gives, when it is called, who else is asked, what its answer and its exception do.
"""
