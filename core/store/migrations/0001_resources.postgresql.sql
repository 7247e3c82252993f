CREATE TABLE resource (
    pid BIGINT PRIMARY KEY,
    type TEXT NOT NULL,
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    updated BIGINT NOT NULL,
    deleted INTEGER NOT NULL,
    UNIQUE (type, id)
);
CREATE INDEX resource_listed ON resource (type, deleted, pid);
CREATE INDEX resource_updated ON resource (type, updated, pid);
CREATE TABLE version (
    pid BIGINT NOT NULL,
    version INTEGER NOT NULL,
    updated BIGINT NOT NULL,
    method TEXT NOT NULL,
    type TEXT NOT NULL,
    body BYTEA,
    PRIMARY KEY (pid, version)
);
CREATE INDEX version_of_type ON version (type, updated, pid, version);
CREATE INDEX version_of_all ON version (updated, pid, version);
CREATE SEQUENCE pid_block START 1 INCREMENT BY 1000;
CREATE TABLE unique_claim (key TEXT PRIMARY KEY);
CREATE TABLE idx_token (pid BIGINT NOT NULL, param INTEGER NOT NULL, code TEXT NOT NULL, system BIGINT NOT NULL);
CREATE INDEX idx_token_pid ON idx_token (pid);
CREATE TABLE idx_string (pid BIGINT NOT NULL, param INTEGER NOT NULL, folded TEXT NOT NULL, original TEXT NOT NULL);
CREATE INDEX idx_string_pid ON idx_string (pid);
CREATE TABLE idx_reference (pid BIGINT NOT NULL, param INTEGER NOT NULL, target_id TEXT NOT NULL, target_type TEXT NOT NULL);
CREATE INDEX idx_reference_pid ON idx_reference (pid);
CREATE TABLE idx_date (pid BIGINT NOT NULL, param INTEGER NOT NULL, low BIGINT NOT NULL, high BIGINT NOT NULL);
CREATE INDEX idx_date_pid ON idx_date (pid);
CREATE TABLE idx_number (pid BIGINT NOT NULL, param INTEGER NOT NULL, low DOUBLE PRECISION NOT NULL, high DOUBLE PRECISION NOT NULL);
CREATE INDEX idx_number_pid ON idx_number (pid);
CREATE TABLE idx_quantity (pid BIGINT NOT NULL, param INTEGER NOT NULL, low DOUBLE PRECISION NOT NULL, high DOUBLE PRECISION NOT NULL, code TEXT NOT NULL, system BIGINT NOT NULL);
CREATE INDEX idx_quantity_pid ON idx_quantity (pid);
CREATE TABLE idx_uri (pid BIGINT NOT NULL, param INTEGER NOT NULL, value TEXT NOT NULL);
CREATE INDEX idx_uri_pid ON idx_uri (pid);
CREATE INDEX idx_token_value ON idx_token (param, code, system, pid);
CREATE INDEX idx_string_value ON idx_string (param, folded text_pattern_ops, pid);
CREATE INDEX idx_reference_value ON idx_reference (param, target_id, target_type, pid);
CREATE INDEX idx_date_value ON idx_date (param, low, high, pid);
CREATE INDEX idx_number_value ON idx_number (param, low, high, pid);
CREATE INDEX idx_quantity_value ON idx_quantity (param, low, high, pid);
CREATE INDEX idx_uri_value ON idx_uri (param, value, pid);
