-- Workflows that are analysed later, by a job. `request` is the submission in msgpack, compressed
-- where the sizes differ; it goes when `analysis_id` says what became of it.
CREATE TABLE submission (
    id TEXT COLLATE "C" PRIMARY KEY CHECK (length(id) = 36),
    account TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    request_size BIGINT NOT NULL,
    request BYTEA,
    analysis_id TEXT COLLATE "C",
    CHECK ((request IS NULL) = (analysis_id IS NOT NULL))
);

ALTER TABLE submission ALTER COLUMN request SET STORAGE EXTERNAL;

CREATE INDEX submission_by_age ON submission (created_at);
CREATE INDEX submission_by_account ON submission (account);
