-- Milliseconds that the receiver took for what it was sent last.
ALTER TABLE outgoing_destination ADD COLUMN took BIGINT NOT NULL DEFAULT 0;
