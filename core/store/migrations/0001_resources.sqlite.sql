CREATE TABLE resource (
    pid INTEGER PRIMARY KEY,
    type TEXT NOT NULL,
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    deleted INTEGER NOT NULL,
    UNIQUE (type, id)
);
CREATE INDEX resource_listed ON resource (type, deleted, pid);
CREATE INDEX resource_updated ON resource (type, updated, pid);
CREATE TABLE version (
    pid INTEGER NOT NULL,
    version INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    method TEXT NOT NULL,
    type TEXT NOT NULL,
    body BLOB,
    PRIMARY KEY (pid, version)
);
CREATE INDEX version_of_type ON version (type, updated, pid, version);
CREATE INDEX version_of_all ON version (updated, pid, version);
CREATE TABLE unique_claim (key TEXT PRIMARY KEY);
CREATE TABLE idx_token (pid INTEGER NOT NULL, param INTEGER NOT NULL, code TEXT NOT NULL, system INTEGER NOT NULL, PRIMARY KEY (param, code, system, pid)) WITHOUT ROWID;
CREATE INDEX idx_token_pid ON idx_token (pid);
CREATE TABLE idx_string (pid INTEGER NOT NULL, param INTEGER NOT NULL, folded TEXT NOT NULL, original TEXT NOT NULL, PRIMARY KEY (param, folded, original, pid)) WITHOUT ROWID;
CREATE INDEX idx_string_pid ON idx_string (pid);
CREATE TABLE idx_reference (pid INTEGER NOT NULL, param INTEGER NOT NULL, target_id TEXT NOT NULL, target_type TEXT NOT NULL, PRIMARY KEY (param, target_id, target_type, pid)) WITHOUT ROWID;
CREATE INDEX idx_reference_pid ON idx_reference (pid);
CREATE TABLE idx_date (pid INTEGER NOT NULL, param INTEGER NOT NULL, low INTEGER NOT NULL, high INTEGER NOT NULL, PRIMARY KEY (param, low, high, pid)) WITHOUT ROWID;
CREATE INDEX idx_date_pid ON idx_date (pid);
CREATE TABLE idx_number (pid INTEGER NOT NULL, param INTEGER NOT NULL, low REAL NOT NULL, high REAL NOT NULL, PRIMARY KEY (param, low, high, pid)) WITHOUT ROWID;
CREATE INDEX idx_number_pid ON idx_number (pid);
CREATE TABLE idx_quantity (pid INTEGER NOT NULL, param INTEGER NOT NULL, low REAL NOT NULL, high REAL NOT NULL, code TEXT NOT NULL, system INTEGER NOT NULL, PRIMARY KEY (param, low, high, code, system, pid)) WITHOUT ROWID;
CREATE INDEX idx_quantity_pid ON idx_quantity (pid);
CREATE TABLE idx_uri (pid INTEGER NOT NULL, param INTEGER NOT NULL, value TEXT NOT NULL, PRIMARY KEY (param, value, pid)) WITHOUT ROWID;
CREATE INDEX idx_uri_pid ON idx_uri (pid);
