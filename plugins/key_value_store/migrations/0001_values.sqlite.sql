-- An area: that of a client has no owner, that of a user in it has one. Its version
-- grows with each write in it, so that no version of a key comes twice.
CREATE TABLE key_value_store_area (
    realm TEXT NOT NULL,
    application TEXT NOT NULL,
    owner TEXT NOT NULL,
    version BIGINT NOT NULL,
    entries INTEGER NOT NULL,
    created BIGINT NOT NULL,
    PRIMARY KEY (realm, application, owner)
);
-- Bytes are here, or in a blob when there are many.
CREATE TABLE key_value_store_value (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    realm TEXT NOT NULL,
    application TEXT NOT NULL,
    owner TEXT NOT NULL,
    key TEXT NOT NULL,
    media_type TEXT NOT NULL,
    version BIGINT NOT NULL,
    size INTEGER NOT NULL,
    content BLOB,
    blob TEXT NOT NULL,
    updated BIGINT NOT NULL,
    UNIQUE (realm, application, owner, key)
);
