-- One row: version rises with every change of what is searched by, states with every
-- change of search_state that others should know of; built_in tells the parameters of
-- the program and its plugins.
CREATE TABLE search_set (
    id INTEGER PRIMARY KEY,
    version BIGINT NOT NULL,
    states BIGINT NOT NULL,
    built_in TEXT NOT NULL
);

-- A row a resource type: generation is the one that all its resources have been indexed
-- with, ready the parameters of then (JSON: name -> number of its definition). The rest
-- is how far a worker is on its way to target; place is the last pid done.
CREATE TABLE search_state (
    type TEXT PRIMARY KEY,
    generation INTEGER NOT NULL,
    ready TEXT NOT NULL,
    target INTEGER NOT NULL,
    forced INTEGER NOT NULL,
    place BIGINT NOT NULL,
    done BIGINT NOT NULL,
    total BIGINT NOT NULL,
    started BIGINT NOT NULL
);
