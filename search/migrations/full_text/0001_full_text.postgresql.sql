-- A row a resource that a consumer has seen, deleted ones (without words) too. The
-- vectors hold the words that we have folded and split, content those of the narrative
-- too, and no positions: phrases are looked for in the texts.
-- https://www.postgresql.org/docs/current/datatype-textsearch.html
CREATE TABLE full_text (
    pid BIGINT PRIMARY KEY,
    version INTEGER NOT NULL,
    narrative TEXT COLLATE "C" NOT NULL,
    content TEXT COLLATE "C" NOT NULL,
    narrative_words TSVECTOR NOT NULL,
    content_words TSVECTOR NOT NULL
);
CREATE INDEX full_text_narrative ON full_text USING GIN (narrative_words);
CREATE INDEX full_text_content ON full_text USING GIN (content_words);
