-- 1: waits because something of the deployment's own is away.
ALTER TABLE outgoing_destination ADD COLUMN away BIGINT NOT NULL DEFAULT 0;
CREATE INDEX outgoing_away ON outgoing_destination (sender, error) WHERE away = 1;
