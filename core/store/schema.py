"""The index tables, declared once: the store writes them, ``fyr.search`` fills and asks."""

#: Table -> columns after ``pid``. ``param`` is ``param_id("Patient", "name")``; systems
#: are hashed (``hash64``), because they are only ever compared; texts are folded by search.
#: No value is ``None`` (what is absent is 0 or an empty text), no row is there twice.
INDEX_TABLES: dict[str, tuple[str, ...]] = {
    "idx_token": ("param", "code", "system"),
    "idx_string": ("param", "folded", "original"),
    "idx_reference": ("param", "target_id", "target_type"),
    "idx_date": ("param", "low", "high"),
    "idx_number": ("param", "low", "high"),
    "idx_quantity": ("param", "low", "high", "code", "system"),
    "idx_uri": ("param", "value"),
    "idx_composite": ("param", "code", "system", "code2", "system2", "low", "high"),
    "idx_position": ("param", "x", "y", "z"),
}
