"""``_text`` and ``_content``: the words of resources, kept after the commit."""
