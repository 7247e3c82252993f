-- Who has made a content, and for which organization; of older ones nobody knows.
ALTER TABLE storage_content ADD COLUMN creator TEXT NOT NULL DEFAULT '';
ALTER TABLE storage_content ADD COLUMN organization TEXT NOT NULL DEFAULT '';
