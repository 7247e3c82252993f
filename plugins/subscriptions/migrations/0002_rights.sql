-- When the owner of a subscription was last here with all the rights that it has by it,
-- in milliseconds since 1970, UTC.
CREATE TABLE subscription_rights (
    id TEXT PRIMARY KEY,
    seen BIGINT NOT NULL
);
