-- An export or an import that somebody has asked for, and how far it is.
CREATE TABLE bulk_task (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    owner TEXT NOT NULL,
    caller TEXT NOT NULL,
    service TEXT NOT NULL,
    base_url TEXT NOT NULL,
    request TEXT NOT NULL,
    asked TEXT NOT NULL,
    job TEXT NOT NULL,
    state TEXT NOT NULL,
    step BIGINT NOT NULL,
    progress TEXT NOT NULL,
    moment BIGINT NOT NULL,
    total BIGINT NOT NULL,
    done BIGINT NOT NULL,
    error TEXT NOT NULL,
    created BIGINT NOT NULL,
    ended BIGINT NOT NULL,
    expires BIGINT NOT NULL
);
CREATE INDEX bulk_task_owner ON bulk_task (owner, state);
CREATE INDEX bulk_task_expires ON bulk_task (expires);

-- A line of an import that was not stored, until its file of outcomes is written.
CREATE TABLE bulk_refusal (
    task TEXT NOT NULL,
    input INTEGER NOT NULL,
    line BIGINT NOT NULL,
    outcome TEXT NOT NULL,
    PRIMARY KEY (task, input, line)
);

-- A file of one: what it gave, or what went wrong in it.
CREATE TABLE bulk_file (
    task TEXT NOT NULL,
    number INTEGER NOT NULL,
    kind TEXT NOT NULL,
    type TEXT NOT NULL,
    count BIGINT NOT NULL,
    source TEXT NOT NULL,
    blob TEXT NOT NULL,
    PRIMARY KEY (task, number)
);
