-- A key of an app on a device. Its secrets are hashed and the hashes sealed, the key is
-- sealed; all three in base64.
CREATE TABLE key_service_key (
    id TEXT PRIMARY KEY,
    issuer TEXT NOT NULL,
    owner TEXT NOT NULL,
    client TEXT NOT NULL,
    device TEXT NOT NULL,
    secret TEXT NOT NULL,
    long_secret TEXT NOT NULL,
    key TEXT NOT NULL,
    created BIGINT NOT NULL,
    used BIGINT NOT NULL
);
CREATE INDEX key_service_key_owner ON key_service_key (issuer, owner, created);
CREATE INDEX key_service_key_created ON key_service_key (created);
CREATE INDEX key_service_key_used ON key_service_key (used);
-- Taken by whoever makes a key, so that nobody gets more than they may have.
CREATE TABLE key_service_owner (
    issuer TEXT NOT NULL,
    owner TEXT NOT NULL,
    last BIGINT NOT NULL,
    PRIMARY KEY (issuer, owner)
);
-- Attempts at an id, whether there is a key or not, as nobody is to learn which.
CREATE TABLE key_service_attempt (
    id TEXT PRIMARY KEY,
    attempts BIGINT NOT NULL,
    good BIGINT NOT NULL,
    minute BIGINT NOT NULL,
    in_minute INTEGER NOT NULL,
    last BIGINT NOT NULL
);
CREATE INDEX key_service_attempt_last ON key_service_attempt (last);
CREATE TABLE key_service_address (
    address TEXT PRIMARY KEY,
    minute BIGINT NOT NULL,
    in_minute INTEGER NOT NULL
);
