-- What is looked at, what was found, and what is to be told. Times are milliseconds since 1970.

-- An URL that is looked at every so often; `expect` is JSON. `status` is since `since_at` what enough
-- checks in a row have found; `failures` is how many of the last ones in a row found it down.
CREATE TABLE monitor (
    id TEXT PRIMARY KEY CHECK (length(id) = 36),
    account TEXT NOT NULL,
    name TEXT NOT NULL,
    url TEXT NOT NULL,
    method TEXT NOT NULL,
    timeout_ms INTEGER NOT NULL,
    redirects INTEGER NOT NULL,
    expect TEXT NOT NULL,
    interval_ms INTEGER NOT NULL CHECK (interval_ms >= 1000),
    confirmations INTEGER NOT NULL CHECK (confirmations > 0),
    paused INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('unknown', 'up', 'down')),
    failures INTEGER NOT NULL,
    since_at INTEGER NOT NULL,
    next_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE INDEX monitor_recent ON monitor (account, created_at, id);
CREATE INDEX monitor_due ON monitor (next_at) WHERE paused = 0;

-- One look. `reason` is NULL when it was up; times are microseconds, 0 is not reached.
CREATE TABLE look (
    id TEXT PRIMARY KEY CHECK (length(id) = 36),
    monitor_id TEXT NOT NULL REFERENCES monitor (id) ON DELETE CASCADE,
    at INTEGER NOT NULL,
    reason TEXT,
    detail TEXT,
    status INTEGER NOT NULL,
    dns_us INTEGER NOT NULL,
    connect_us INTEGER NOT NULL,
    tls_us INTEGER NOT NULL,
    first_byte_us INTEGER NOT NULL,
    total_us INTEGER NOT NULL,
    size INTEGER NOT NULL,
    redirects INTEGER NOT NULL,
    address TEXT NOT NULL,
    certificate_at INTEGER NOT NULL
) STRICT;

CREATE INDEX look_recent ON look (monitor_id, at, id);
CREATE INDEX look_by_age ON look (at);

-- When the status changed.
CREATE TABLE change (
    monitor_id TEXT NOT NULL REFERENCES monitor (id) ON DELETE CASCADE,
    at INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('up', 'down')),
    detail TEXT,
    PRIMARY KEY (monitor_id, at)
) STRICT;

-- Events until webhook.publish has answered that it has them; `data` is JSON.
CREATE TABLE outbox (
    id TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    type TEXT NOT NULL,
    at INTEGER NOT NULL,
    data TEXT NOT NULL
) STRICT;

CREATE INDEX outbox_oldest ON outbox (at);
