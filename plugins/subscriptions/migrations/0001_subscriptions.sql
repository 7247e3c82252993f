-- Who wrote a version of a subscription, and the headers that are sent: never in the
-- resource. Versions that the server writes itself have no row: the one before counts.
CREATE TABLE subscription_owner (
    id TEXT NOT NULL,
    version BIGINT NOT NULL,
    principal TEXT NOT NULL,
    service TEXT NOT NULL,
    base_url TEXT NOT NULL,
    headers TEXT NOT NULL,
    PRIMARY KEY (id, version)
);

-- What is matched and sent; since: the change after which it is told; events: the number
-- of the last one.
CREATE TABLE subscription (
    id TEXT PRIMARY KEY,
    version BIGINT NOT NULL,
    status TEXT NOT NULL,
    body TEXT NOT NULL,
    since BIGINT NOT NULL,
    events BIGINT NOT NULL,
    sent BIGINT NOT NULL,
    last_sent BIGINT NOT NULL,
    failures BIGINT NOT NULL,
    error TEXT NOT NULL
);

CREATE TABLE subscription_event (
    subscription TEXT NOT NULL,
    number BIGINT NOT NULL,
    position BIGINT NOT NULL,
    type TEXT NOT NULL,
    id TEXT NOT NULL,
    version BIGINT NOT NULL,
    method TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (subscription, number)
);
CREATE UNIQUE INDEX subscription_event_position
    ON subscription_event (subscription, position);
CREATE INDEX subscription_event_at ON subscription_event (at);

-- Tokens for websockets, as hashes.
CREATE TABLE subscription_token (
    hash TEXT PRIMARY KEY,
    subscriptions TEXT NOT NULL,
    expires BIGINT NOT NULL
);

-- Another number whenever the subscriptions (1) are others than before, or what their
-- criteria mean (2).
CREATE TABLE subscription_edition (
    id INTEGER PRIMARY KEY,
    number BIGINT NOT NULL
);
INSERT INTO subscription_edition (id, number) VALUES (1, 0), (2, 0);
