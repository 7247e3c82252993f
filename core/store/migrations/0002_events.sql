-- How far positions have been given, and up to where events were removed.
CREATE TABLE outbox_head (
    id INTEGER PRIMARY KEY,
    position BIGINT NOT NULL,
    trimmed BIGINT NOT NULL
);
INSERT INTO outbox_head (id, position, trimmed) VALUES (1, 0, 0);

CREATE TABLE consumer (
    name TEXT PRIMARY KEY,
    position BIGINT NOT NULL,
    owner TEXT NOT NULL,
    lease_until BIGINT NOT NULL,
    paused_until BIGINT NOT NULL,
    pauses BIGINT NOT NULL,
    error TEXT NOT NULL,
    delivered BIGINT NOT NULL,
    failures BIGINT NOT NULL,
    seen BIGINT NOT NULL
);

CREATE TABLE message_topic (
    source TEXT NOT NULL,
    topic TEXT NOT NULL,
    number BIGINT NOT NULL,
    PRIMARY KEY (source, topic)
);

CREATE TABLE delivery (
    consumer TEXT NOT NULL,
    position BIGINT NOT NULL,
    subject TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    due BIGINT NOT NULL,
    error TEXT NOT NULL,
    PRIMARY KEY (consumer, position)
);
CREATE INDEX delivery_due ON delivery (state, consumer, due);
CREATE INDEX delivery_subject ON delivery (consumer, subject, position);

CREATE TABLE job (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    subject TEXT UNIQUE,
    state TEXT NOT NULL,
    arguments TEXT NOT NULL,
    scheduled BIGINT NOT NULL,
    due BIGINT NOT NULL,
    owner TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    cancel INTEGER NOT NULL,
    progress DOUBLE PRECISION NOT NULL,
    note TEXT NOT NULL,
    result TEXT,
    error TEXT NOT NULL,
    created BIGINT NOT NULL,
    finished BIGINT
);
CREATE INDEX job_due ON job (state, due);

-- Criteria that a transaction searches by, so that one at a time does.
CREATE TABLE unique_claim (
    key TEXT PRIMARY KEY
);

-- What the servers of one database share and make themselves, such as the key that
-- links are signed with.
CREATE TABLE shared_value (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
