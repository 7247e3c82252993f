"""The store's own migrations: numbered SQL files, read by ``fyr.core.store.migrating``."""
