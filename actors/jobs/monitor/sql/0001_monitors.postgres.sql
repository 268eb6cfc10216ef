-- What is looked at, what was found, and what is to be told. Times are milliseconds since 1970.
-- Ids and names of ours compare by their bytes, as in SQLite.

-- An URL that is looked at every so often; `expect` is JSON. `status` is since `since_at` what enough
-- checks in a row have found; `failures` is how many of the last ones in a row found it down.
CREATE TABLE monitor (
    id TEXT COLLATE "C" PRIMARY KEY CHECK (length(id) = 36),
    account TEXT COLLATE "C" NOT NULL,
    name TEXT NOT NULL,
    url TEXT NOT NULL,
    method TEXT NOT NULL,
    timeout_ms BIGINT NOT NULL,
    redirects BIGINT NOT NULL,
    expect TEXT NOT NULL,
    interval_ms BIGINT NOT NULL CHECK (interval_ms >= 1000),
    confirmations BIGINT NOT NULL CHECK (confirmations > 0),
    paused BIGINT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('unknown', 'up', 'down')),
    failures BIGINT NOT NULL,
    since_at BIGINT NOT NULL,
    next_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE INDEX monitor_recent ON monitor (account, created_at, id);
CREATE INDEX monitor_due ON monitor (next_at) WHERE paused = 0;

-- One look. `reason` is NULL when it was up; times are microseconds, 0 is not reached.
CREATE TABLE look (
    id TEXT COLLATE "C" PRIMARY KEY CHECK (length(id) = 36),
    monitor_id TEXT COLLATE "C" NOT NULL REFERENCES monitor (id) ON DELETE CASCADE,
    at BIGINT NOT NULL,
    reason TEXT,
    detail TEXT,
    status BIGINT NOT NULL,
    dns_us BIGINT NOT NULL,
    connect_us BIGINT NOT NULL,
    tls_us BIGINT NOT NULL,
    first_byte_us BIGINT NOT NULL,
    total_us BIGINT NOT NULL,
    size BIGINT NOT NULL,
    redirects BIGINT NOT NULL,
    address TEXT NOT NULL,
    certificate_at BIGINT NOT NULL
);

CREATE INDEX look_recent ON look (monitor_id, at, id);
CREATE INDEX look_by_age ON look (at);

-- When the status changed.
CREATE TABLE change (
    monitor_id TEXT COLLATE "C" NOT NULL REFERENCES monitor (id) ON DELETE CASCADE,
    at BIGINT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('up', 'down')),
    detail TEXT,
    PRIMARY KEY (monitor_id, at)
);

-- Events until webhook.publish has answered that it has them; `data` is JSON.
CREATE TABLE outbox (
    id TEXT COLLATE "C" PRIMARY KEY,
    account TEXT COLLATE "C" NOT NULL,
    type TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    data TEXT NOT NULL
);

CREATE INDEX outbox_oldest ON outbox (at);
