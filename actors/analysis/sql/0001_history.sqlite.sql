-- What accounts have had analysed. Times are milliseconds since 1970.

-- A workflow under one name; its id is a hash of account, kind and name, so that whoever analyses a
-- version of it knows the id without asking.
CREATE TABLE workflow (
    id TEXT PRIMARY KEY CHECK (length(id) = 36),
    account TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('n8n', 'node-red', 'asl', 'generic')),
    name TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX workflow_recent ON workflow (account, updated_at, id);

-- A version of it and what was found. `key` is a hash of all that decides about the result: the same
-- again is the same analysis. `tier` is whose retention applies. `occurs` lists the rules and
-- severities of the issues, as a JSON array. `result` is the answer in msgpack, `sketch` is what is
-- needed to draw and compare the workflow; both are compressed where the sizes differ.
CREATE TABLE analysis (
    id TEXT PRIMARY KEY CHECK (length(id) = 36),
    account TEXT NOT NULL,
    key BLOB NOT NULL CHECK (length(key) = 32),
    workflow_id TEXT NOT NULL REFERENCES workflow (id),
    kind TEXT NOT NULL CHECK (kind IN ('n8n', 'node-red', 'asl', 'generic')),
    profile TEXT NOT NULL,
    name TEXT,
    tier TEXT NOT NULL CHECK (tier IN ('anonymous', 'free', 'pro', 'enterprise')),
    created_at INTEGER NOT NULL,
    score INTEGER NOT NULL CHECK (score BETWEEN 0 AND 100),
    grade TEXT NOT NULL CHECK (grade IN ('A', 'B', 'C', 'D', 'F')),
    nodes INTEGER NOT NULL CHECK (nodes >= 0),
    wires INTEGER NOT NULL CHECK (wires >= 0),
    critical INTEGER NOT NULL CHECK (critical >= 0),
    error INTEGER NOT NULL CHECK (error >= 0),
    warning INTEGER NOT NULL CHECK (warning >= 0),
    info INTEGER NOT NULL CHECK (info >= 0),
    occurs TEXT NOT NULL,
    result_size INTEGER NOT NULL,
    result BLOB NOT NULL,
    sketch_size INTEGER NOT NULL,
    sketch BLOB NOT NULL,
    UNIQUE (account, key)
) STRICT;

CREATE INDEX analysis_recent ON analysis (account, created_at, id);
CREATE INDEX analysis_by_kind ON analysis (account, kind, created_at, id);
CREATE INDEX analysis_by_grade ON analysis (account, grade, created_at, id);
CREATE INDEX analysis_by_workflow ON analysis (workflow_id, created_at, id);
CREATE INDEX analysis_by_age ON analysis (tier, created_at);

-- Where a rule fired or a severity occurred: what `occurs` says, findable.
CREATE TABLE occurrence (
    account TEXT NOT NULL,
    what TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    analysis_id TEXT NOT NULL,
    PRIMARY KEY (account, what, created_at, analysis_id)
) STRICT, WITHOUT ROWID;
