"""Tables of search's own; the index tables are the store's."""
