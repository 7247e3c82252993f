-- A row a timer that is to fire, or that was given up. key: name and subject of one that
-- waits, NULL of one that was given up. due: when it is tried next, in milliseconds since
-- 1970, UTC; far away of one that was given up.
CREATE TABLE timer (
    id TEXT PRIMARY KEY,
    key TEXT UNIQUE,
    name TEXT NOT NULL,
    subject TEXT NOT NULL,
    scheduled BIGINT NOT NULL,
    due BIGINT NOT NULL,
    attempts INTEGER NOT NULL,
    failed BIGINT NOT NULL,
    payload TEXT NOT NULL,
    error TEXT NOT NULL
);
CREATE INDEX timer_due ON timer (due, name);
CREATE INDEX timer_subject ON timer (subject);
CREATE INDEX timer_failed ON timer (failed);
