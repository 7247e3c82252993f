-- What is kept in the blob store, and for what. A blob without ``due`` is referred to;
-- another is removed when its time has come.
CREATE TABLE blob (
    id TEXT PRIMARY KEY,
    key TEXT NOT NULL,
    size BIGINT NOT NULL,
    sha256 TEXT NOT NULL,
    content_type TEXT NOT NULL,
    owner TEXT NOT NULL,
    sealed INTEGER NOT NULL,
    state TEXT NOT NULL,
    subject TEXT NOT NULL,
    created BIGINT NOT NULL,
    due BIGINT
);
CREATE INDEX blob_by_key ON blob (key);
CREATE INDEX blob_due ON blob (due) WHERE due IS NOT NULL;

-- The key of each owner's blobs, wrapped by the master key that ``master`` names.
CREATE TABLE blob_owner_key (
    owner TEXT PRIMARY KEY,
    master TEXT NOT NULL,
    wrapped TEXT NOT NULL,
    created BIGINT NOT NULL
);
