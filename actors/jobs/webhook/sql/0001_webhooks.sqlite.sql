-- Who wants to be told of what, what has happened, and what became of telling. Times are
-- milliseconds since 1970.

-- An URL of an account. `events` is a JSON array of the kinds it wants. The secrets are sealed under
-- the id; the old one is good until `old_until`.
CREATE TABLE subscription (
    id TEXT PRIMARY KEY CHECK (length(id) = 36),
    account TEXT NOT NULL,
    url TEXT NOT NULL,
    about TEXT,
    events TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('active', 'paused', 'disabled')),
    reason TEXT,
    secret BLOB NOT NULL,
    old_secret BLOB,
    old_until INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE INDEX subscription_recent ON subscription (account, created_at, id);

-- What has happened, once by its id. `data` is JSON.
CREATE TABLE event (
    id TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    type TEXT NOT NULL,
    at INTEGER NOT NULL,
    data TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX event_by_age ON event (created_at);

-- One event for one subscription, never twice. It waits until there is a job for it, which makes
-- attempts until it is delivered or failed. `replays` counts how often it was begun anew.
CREATE TABLE delivery (
    id TEXT PRIMARY KEY CHECK (length(id) = 36),
    subscription_id TEXT NOT NULL REFERENCES subscription (id) ON DELETE CASCADE,
    event_id TEXT NOT NULL REFERENCES event (id),
    state TEXT NOT NULL CHECK (state IN ('waiting', 'queued', 'delivered', 'failed')),
    attempts INTEGER NOT NULL CHECK (attempts >= 0),
    replays INTEGER NOT NULL CHECK (replays >= 0),
    status INTEGER,
    detail TEXT,
    duration_us INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (event_id, subscription_id)
) STRICT;

CREATE INDEX delivery_recent ON delivery (subscription_id, created_at, id);
CREATE INDEX delivery_waiting ON delivery (updated_at) WHERE state = 'waiting';
CREATE INDEX delivery_queued ON delivery (updated_at) WHERE state = 'queued';
