-- Where a destination leads to, as its sender says; null: not asked yet.
ALTER TABLE outgoing_destination ADD COLUMN host TEXT;
CREATE INDEX outgoing_unnamed ON outgoing_destination (sender) WHERE host IS NULL;
CREATE INDEX outgoing_slow ON outgoing_destination (sender, host) WHERE took >= 1000;
