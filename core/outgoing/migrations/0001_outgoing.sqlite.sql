-- A row a message that is still to be sent, or that was given up.
CREATE TABLE outgoing (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    sender TEXT NOT NULL,
    destination TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    created INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    payload TEXT NOT NULL,
    error TEXT NOT NULL
);
CREATE INDEX outgoing_queue ON outgoing (sender, destination, state, id);
CREATE INDEX outgoing_dead ON outgoing (state, id);

-- A row a receiver. due: when it is looked at next, far away while nothing waits.
CREATE TABLE outgoing_destination (
    sender TEXT NOT NULL,
    destination TEXT NOT NULL,
    owner TEXT NOT NULL,
    lease_until INTEGER NOT NULL,
    due INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    error TEXT NOT NULL,
    sent INTEGER NOT NULL,
    PRIMARY KEY (sender, destination)
);
CREATE INDEX outgoing_due ON outgoing_destination (due);
