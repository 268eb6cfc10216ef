-- Jobs that live, jobs that ended, and the queues they wait in. Times are milliseconds since 1970 of
-- this machine's clock. An id is never given out again: ended jobs keep theirs.

-- How fast jobs are begun. A limit of 0 is none.
CREATE TABLE queue (
    name TEXT PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 64),
    is_paused INTEGER NOT NULL DEFAULT 0 CHECK (is_paused IN (0, 1)),
    is_pulled INTEGER NOT NULL DEFAULT 0 CHECK (is_pulled IN (0, 1)),
    max_running INTEGER NOT NULL DEFAULT 0 CHECK (max_running >= 0),
    rate_limit INTEGER NOT NULL DEFAULT 0 CHECK (rate_limit >= 0),
    rate_window_ms INTEGER NOT NULL DEFAULT 60000 CHECK (rate_window_ms >= 1000)
) STRICT;

-- When jobs of queues with a rate were begun; what is older than the window goes.
CREATE TABLE beginning (
    queue TEXT NOT NULL,
    at INTEGER NOT NULL,
    count INTEGER NOT NULL CHECK (count > 0)
) STRICT;

CREATE INDEX beginning_by_queue ON beginning (queue, at);

-- Whoever runs jobs: one row each, so that a sign of life is one write however many jobs it runs.
-- `is_pulling`: it fetches its jobs itself.
CREATE TABLE worker (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 128),
    is_pulling INTEGER NOT NULL CHECK (is_pulling IN (0, 1)),
    lease_until INTEGER NOT NULL
) STRICT;

CREATE INDEX worker_by_lease ON worker (lease_until);

-- Only jobs that have not ended. `state`: 0 ready, 1 running, 2 scheduled, 3 blocked. `fence` is the
-- number of the last run. `tries` are failures that count, `crashes` runs whose worker was lost.
-- `account` is '' for a service's own job; `principal` is who it runs as.
CREATE TABLE job (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    queue TEXT NOT NULL,
    kind TEXT NOT NULL,
    state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 3),
    priority INTEGER NOT NULL CHECK (priority BETWEEN 0 AND 9),
    run_at INTEGER NOT NULL,
    fence INTEGER NOT NULL DEFAULT 0 CHECK (fence >= 0),
    tries INTEGER NOT NULL DEFAULT 0 CHECK (tries >= 0),
    crashes INTEGER NOT NULL DEFAULT 0 CHECK (crashes >= 0),
    replays INTEGER NOT NULL DEFAULT 0 CHECK (replays >= 0),
    max_attempts INTEGER NOT NULL CHECK (max_attempts >= 1),
    timeout_ms INTEGER NOT NULL CHECK (timeout_ms >= 1),
    backoff_ms INTEGER NOT NULL CHECK (backoff_ms >= 1),
    is_cancelled INTEGER NOT NULL DEFAULT 0 CHECK (is_cancelled IN (0, 1)),
    worker_id INTEGER CHECK ((worker_id IS NOT NULL) = (state = 1)),
    started_at INTEGER,
    created_at INTEGER NOT NULL,
    parent_id INTEGER,
    pending_children INTEGER NOT NULL DEFAULT 0 CHECK (pending_children >= 0),
    unique_key TEXT,
    order_key TEXT,
    account TEXT NOT NULL,
    error_code TEXT,
    error_text TEXT,
    principal BLOB,
    trace BLOB CHECK (length(trace) = 25),
    payload BLOB NOT NULL
) STRICT;

CREATE INDEX job_ready ON job (queue, priority, run_at, id) WHERE state = 0;
CREATE INDEX job_running ON job (queue, worker_id) WHERE state = 1;
CREATE INDEX job_scheduled ON job (run_at, id) WHERE state = 2;
CREATE UNIQUE INDEX job_unique ON job (account, queue, unique_key) WHERE unique_key IS NOT NULL;
-- at most one job of an order is not blocked; the others wait in the order of their ids
CREATE UNIQUE INDEX job_order_head ON job (account, queue, order_key)
    WHERE order_key IS NOT NULL AND state < 3;
CREATE INDEX job_order_tail ON job (account, queue, order_key, id)
    WHERE order_key IS NOT NULL AND state = 3;
CREATE INDEX job_children ON job (parent_id, id) WHERE parent_id IS NOT NULL;
CREATE INDEX job_by_account ON job (account, id);

-- Jobs that succeeded (`state` 4) or were cancelled (5), for as long as they are kept.
CREATE TABLE done (
    id INTEGER PRIMARY KEY,
    queue TEXT NOT NULL,
    kind TEXT NOT NULL,
    state INTEGER NOT NULL CHECK (state IN (4, 5)),
    priority INTEGER NOT NULL,
    fence INTEGER NOT NULL,
    tries INTEGER NOT NULL,
    max_attempts INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    started_at INTEGER,
    finished_at INTEGER NOT NULL,
    parent_id INTEGER,
    unique_key TEXT,
    order_key TEXT,
    account TEXT NOT NULL,
    result BLOB
) STRICT;

CREATE INDEX done_by_age ON done (finished_at, id);
CREATE INDEX done_by_account ON done (account, id);
CREATE INDEX done_children ON done (parent_id, id) WHERE parent_id IS NOT NULL;

-- Jobs that failed for good, with all it takes to run them again.
CREATE TABLE dead (
    id INTEGER PRIMARY KEY,
    queue TEXT NOT NULL,
    kind TEXT NOT NULL,
    priority INTEGER NOT NULL,
    fence INTEGER NOT NULL,
    tries INTEGER NOT NULL,
    crashes INTEGER NOT NULL,
    replays INTEGER NOT NULL,
    max_attempts INTEGER NOT NULL,
    timeout_ms INTEGER NOT NULL,
    backoff_ms INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    started_at INTEGER,
    finished_at INTEGER NOT NULL,
    parent_id INTEGER,
    unique_key TEXT,
    order_key TEXT,
    account TEXT NOT NULL,
    error_code TEXT NOT NULL,
    error_text TEXT,
    principal BLOB,
    trace BLOB,
    payload BLOB NOT NULL
) STRICT;

CREATE INDEX dead_by_age ON dead (finished_at, id);
CREATE INDEX dead_by_account ON dead (account, id);
CREATE INDEX dead_children ON dead (parent_id, id) WHERE parent_id IS NOT NULL;

-- How far a run is; a table of its own, so that it is changed without touching the indexes of jobs.
CREATE TABLE progress (
    job_id INTEGER PRIMARY KEY,
    fence INTEGER NOT NULL,
    percent INTEGER NOT NULL CHECK (percent BETWEEN 0 AND 100),
    note TEXT,
    updated_at INTEGER NOT NULL
) STRICT;

-- Answers that are given again to a request with the same key. `hash` is of the request.
CREATE TABLE idempotency (
    account TEXT NOT NULL,
    key TEXT NOT NULL,
    hash BLOB NOT NULL,
    reply BLOB NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (account, key)
) STRICT;

CREATE INDEX idempotency_by_age ON idempotency (expires_at);
