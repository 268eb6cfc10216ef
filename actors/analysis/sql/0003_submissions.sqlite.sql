-- Workflows that are analysed later, by a job. `request` is the submission in msgpack, compressed
-- where the sizes differ; it goes when `analysis_id` says what became of it.
CREATE TABLE submission (
    id TEXT PRIMARY KEY CHECK (length(id) = 36),
    account TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    request_size INTEGER NOT NULL,
    request BLOB,
    analysis_id TEXT,
    CHECK ((request IS NULL) = (analysis_id IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX submission_by_age ON submission (created_at);
CREATE INDEX submission_by_account ON submission (account);
