-- What is enqueued again and again. Times are milliseconds since 1970 of this machine's clock.

-- `zone` is an IANA name, `catch_up` how many late firings are made up. Everything that was due
-- until `decided_until` has been fired or given up; `next_at` says when to look again, NULL never.
-- `principal` is who the jobs run as.
CREATE TABLE schedule (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account TEXT NOT NULL,
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
    cron TEXT NOT NULL,
    zone TEXT NOT NULL,
    kind TEXT NOT NULL,
    queue TEXT NOT NULL,
    priority INTEGER NOT NULL CHECK (priority BETWEEN 0 AND 9),
    max_attempts INTEGER NOT NULL CHECK (max_attempts >= 1),
    timeout_ms INTEGER NOT NULL CHECK (timeout_ms >= 1),
    backoff_ms INTEGER NOT NULL CHECK (backoff_ms >= 1),
    catch_up INTEGER NOT NULL CHECK (catch_up BETWEEN 0 AND 100),
    skips_overlap INTEGER NOT NULL CHECK (skips_overlap IN (0, 1)),
    is_paused INTEGER NOT NULL DEFAULT 0 CHECK (is_paused IN (0, 1)),
    decided_until INTEGER NOT NULL,
    next_at INTEGER CHECK (next_at IS NULL OR is_paused = 0),
    last_at INTEGER,
    missed INTEGER NOT NULL DEFAULT 0 CHECK (missed >= 0),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    principal BLOB,
    payload BLOB NOT NULL,
    UNIQUE (account, name)
) STRICT;

CREATE INDEX schedule_due ON schedule (next_at, id) WHERE next_at IS NOT NULL;
CREATE INDEX schedule_by_account ON schedule (account, id);

-- One row for each time that was due, and there can be only one. `job_id` is NULL when the job of an
-- earlier time was not over.
CREATE TABLE schedule_fire (
    schedule_id INTEGER NOT NULL,
    fire_at INTEGER NOT NULL,
    fired_at INTEGER NOT NULL,
    job_id INTEGER,
    PRIMARY KEY (schedule_id, fire_at)
) STRICT, WITHOUT ROWID;

CREATE INDEX schedule_fire_by_age ON schedule_fire (fired_at);
