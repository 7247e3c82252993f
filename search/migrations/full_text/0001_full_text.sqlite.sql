-- A row a resource that a consumer has seen, deleted ones (without words) too. Words come
-- folded and split, so the tokenizer has only spaces to look at. No positions are kept:
-- phrases are looked for in the text. https://sqlite.org/fts5.html
CREATE VIRTUAL TABLE full_text USING fts5 (
    narrative,
    content,
    version UNINDEXED,
    tokenize = 'ascii',
    detail = 'column'
);
