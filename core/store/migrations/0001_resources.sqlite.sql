-- A row a resource, deleted ones too: its newest version, so that a read needs no other.
-- Its body is packed: ``core/store/bodies.py``; indexed is the generation of its rows
-- in the index tables.
CREATE TABLE resource (
    pid INTEGER PRIMARY KEY,
    updated INTEGER NOT NULL,
    version INTEGER NOT NULL,
    indexed INTEGER NOT NULL,
    deleted INTEGER NOT NULL,
    type TEXT NOT NULL,
    id TEXT NOT NULL,
    method TEXT NOT NULL,
    body BLOB,
    UNIQUE (type, id)
);
CREATE INDEX resource_listed ON resource (type, deleted, pid);
CREATE INDEX resource_by_type ON resource (type, updated, pid);
CREATE INDEX resource_by_time ON resource (updated, pid);

-- A row a version that has been superseded; body is NULL where it was a delete.
CREATE TABLE version (
    pid INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    version INTEGER NOT NULL,
    type TEXT NOT NULL,
    method TEXT NOT NULL,
    body BLOB,
    PRIMARY KEY (pid, version)
);
CREATE INDEX version_by_type ON version (type, updated, pid, version);
CREATE INDEX version_by_time ON version (updated, pid, version);

-- Index rows lie in the order in which they are searched; an index on pid of such a
-- table holds the rest of the row, so that removal needs nothing else.
CREATE TABLE idx_token (
    param INTEGER NOT NULL,
    code TEXT NOT NULL,
    system INTEGER NOT NULL,
    pid INTEGER NOT NULL,
    PRIMARY KEY (param, code, pid, system)
) WITHOUT ROWID;
CREATE INDEX idx_token_pid ON idx_token (pid);

CREATE TABLE idx_string (
    param INTEGER NOT NULL,
    folded TEXT NOT NULL,
    original TEXT NOT NULL,
    pid INTEGER NOT NULL,
    PRIMARY KEY (param, folded, original, pid)
) WITHOUT ROWID;
CREATE INDEX idx_string_pid ON idx_string (pid);

CREATE TABLE idx_reference (
    param INTEGER NOT NULL,
    target_id TEXT NOT NULL,
    target_type TEXT NOT NULL,
    pid INTEGER NOT NULL,
    PRIMARY KEY (param, target_id, target_type, pid)
) WITHOUT ROWID;
CREATE INDEX idx_reference_pid ON idx_reference (pid);

CREATE TABLE idx_date (
    param INTEGER NOT NULL,
    low INTEGER NOT NULL,
    high INTEGER NOT NULL,
    pid INTEGER NOT NULL,
    PRIMARY KEY (param, low, pid, high)
) WITHOUT ROWID;
CREATE INDEX idx_date_pid ON idx_date (pid);

CREATE TABLE idx_number (
    param INTEGER NOT NULL,
    low REAL NOT NULL,
    high REAL NOT NULL,
    pid INTEGER NOT NULL,
    PRIMARY KEY (param, low, high, pid)
) WITHOUT ROWID;
CREATE INDEX idx_number_pid ON idx_number (pid);

CREATE TABLE idx_quantity (
    param INTEGER NOT NULL,
    low REAL NOT NULL,
    high REAL NOT NULL,
    code TEXT NOT NULL,
    system INTEGER NOT NULL,
    pid INTEGER NOT NULL,
    PRIMARY KEY (param, low, high, code, system, pid)
) WITHOUT ROWID;
CREATE INDEX idx_quantity_pid ON idx_quantity (pid);

CREATE TABLE idx_uri (
    param INTEGER NOT NULL,
    value TEXT NOT NULL,
    pid INTEGER NOT NULL,
    PRIMARY KEY (param, value, pid)
) WITHOUT ROWID;
CREATE INDEX idx_uri_pid ON idx_uri (pid);

-- Values of two or three components of one element.
CREATE TABLE idx_composite (
    param INTEGER NOT NULL,
    code TEXT NOT NULL,
    code2 TEXT NOT NULL,
    low REAL NOT NULL,
    high REAL NOT NULL,
    system INTEGER NOT NULL,
    system2 INTEGER NOT NULL,
    pid INTEGER NOT NULL,
    PRIMARY KEY (param, code, code2, low, high, system, system2, pid)
) WITHOUT ROWID;
CREATE INDEX idx_composite_pid ON idx_composite (pid);

-- Points of the earth on a sphere of radius 1: z is the sine of the latitude.
CREATE TABLE idx_position (
    param INTEGER NOT NULL,
    z REAL NOT NULL,
    x REAL NOT NULL,
    y REAL NOT NULL,
    pid INTEGER NOT NULL,
    PRIMARY KEY (param, z, x, y, pid)
) WITHOUT ROWID;
CREATE INDEX idx_position_pid ON idx_position (pid);

-- One writer at a time: the number of a row is its place in the order of commits.
CREATE TABLE outbox (
    seq INTEGER PRIMARY KEY,
    topic TEXT NOT NULL,
    type TEXT,
    id TEXT,
    version INTEGER,
    method TEXT,
    trace_id TEXT NOT NULL DEFAULT '',
    at INTEGER NOT NULL,
    payload TEXT
);
