-- What citizens are shown, by the URL that never changes; the bytes are blobs.
CREATE TABLE storage_content (
    id TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    blob TEXT NOT NULL,
    content_type TEXT NOT NULL,
    size BIGINT NOT NULL,
    sha256 TEXT NOT NULL,
    episode TEXT NOT NULL,
    patient TEXT NOT NULL,
    thumbnail_state TEXT NOT NULL,
    thumbnail TEXT NOT NULL,
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL
);
