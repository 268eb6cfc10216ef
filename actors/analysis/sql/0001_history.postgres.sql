-- What accounts have had analysed. Times are milliseconds since 1970. Ids and names of ours compare
-- by their bytes, as in SQLite.

-- A workflow under one name; its id is a hash of account, kind and name, so that whoever analyses a
-- version of it knows the id without asking.
CREATE TABLE workflow (
    id TEXT COLLATE "C" PRIMARY KEY CHECK (length(id) = 36),
    account TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('n8n', 'node-red', 'asl', 'generic')),
    name TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE INDEX workflow_recent ON workflow (account, updated_at, id);

-- A version of it and what was found. `key` is a hash of all that decides about the result: the same
-- again is the same analysis. `tier` is whose retention applies. `occurs` lists the rules and
-- severities of the issues, as a JSON array. `result` is the answer in msgpack, `sketch` is what is
-- needed to draw and compare the workflow; both are compressed where the sizes differ, so that the
-- server need not try.
CREATE TABLE analysis (
    id TEXT COLLATE "C" PRIMARY KEY CHECK (length(id) = 36),
    account TEXT COLLATE "C" NOT NULL,
    key BYTEA NOT NULL CHECK (octet_length(key) = 32),
    workflow_id TEXT COLLATE "C" NOT NULL REFERENCES workflow (id),
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('n8n', 'node-red', 'asl', 'generic')),
    profile TEXT NOT NULL,
    name TEXT,
    tier TEXT COLLATE "C" NOT NULL CHECK (tier IN ('anonymous', 'free', 'pro', 'enterprise')),
    created_at BIGINT NOT NULL,
    score BIGINT NOT NULL CHECK (score BETWEEN 0 AND 100),
    grade TEXT COLLATE "C" NOT NULL CHECK (grade IN ('A', 'B', 'C', 'D', 'F')),
    nodes BIGINT NOT NULL CHECK (nodes >= 0),
    wires BIGINT NOT NULL CHECK (wires >= 0),
    critical BIGINT NOT NULL CHECK (critical >= 0),
    error BIGINT NOT NULL CHECK (error >= 0),
    warning BIGINT NOT NULL CHECK (warning >= 0),
    info BIGINT NOT NULL CHECK (info >= 0),
    occurs TEXT COLLATE "C" NOT NULL,
    result_size BIGINT NOT NULL,
    result BYTEA NOT NULL,
    sketch_size BIGINT NOT NULL,
    sketch BYTEA NOT NULL,
    UNIQUE (account, key)
);

ALTER TABLE analysis ALTER COLUMN result SET STORAGE EXTERNAL;
ALTER TABLE analysis ALTER COLUMN sketch SET STORAGE EXTERNAL;

CREATE INDEX analysis_recent ON analysis (account, created_at, id);
CREATE INDEX analysis_by_kind ON analysis (account, kind, created_at, id);
CREATE INDEX analysis_by_grade ON analysis (account, grade, created_at, id);
CREATE INDEX analysis_by_workflow ON analysis (workflow_id, created_at, id);
CREATE INDEX analysis_by_age ON analysis (tier, created_at);

-- Where a rule fired or a severity occurred: what `occurs` says, findable.
CREATE TABLE occurrence (
    account TEXT COLLATE "C" NOT NULL,
    what TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    analysis_id TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (account, what, created_at, analysis_id)
);
