-- Generations of the reporting index, newest last: fingerprint tells what it is made of and
-- where it is, columns (JSON) what it can keep; state is wanted, filling, shown or old. The
-- rest is how far a worker is: the type, and the last pid of it that is done.
CREATE TABLE reporting_generation (
    number BIGINT PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    columns TEXT NOT NULL,
    state TEXT NOT NULL,
    kind TEXT NOT NULL,
    place BIGINT NOT NULL,
    done BIGINT NOT NULL,
    total BIGINT NOT NULL,
    refused BIGINT NOT NULL,
    created BIGINT NOT NULL
);
