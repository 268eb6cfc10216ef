-- Who wants to be told of what, what has happened, and what became of telling. Times are
-- milliseconds since 1970. Ids and names of ours compare by their bytes, as in SQLite.

-- An URL of an account. `events` is a JSON array of the kinds it wants. The secrets are sealed under
-- the id; the old one is good until `old_until`.
CREATE TABLE subscription (
    id TEXT COLLATE "C" PRIMARY KEY CHECK (length(id) = 36),
    account TEXT COLLATE "C" NOT NULL,
    url TEXT NOT NULL,
    about TEXT,
    events TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('active', 'paused', 'disabled')),
    reason TEXT,
    secret BYTEA NOT NULL,
    old_secret BYTEA,
    old_until BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE INDEX subscription_recent ON subscription (account, created_at, id);

-- What has happened, once by its id. `data` is JSON.
CREATE TABLE event (
    id TEXT COLLATE "C" PRIMARY KEY,
    account TEXT COLLATE "C" NOT NULL,
    type TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    data TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE INDEX event_by_age ON event (created_at);

-- One event for one subscription, never twice. It waits until there is a job for it, which makes
-- attempts until it is delivered or failed. `replays` counts how often it was begun anew.
CREATE TABLE delivery (
    id TEXT COLLATE "C" PRIMARY KEY CHECK (length(id) = 36),
    subscription_id TEXT COLLATE "C" NOT NULL REFERENCES subscription (id) ON DELETE CASCADE,
    event_id TEXT COLLATE "C" NOT NULL REFERENCES event (id),
    state TEXT NOT NULL CHECK (state IN ('waiting', 'queued', 'delivered', 'failed')),
    attempts BIGINT NOT NULL CHECK (attempts >= 0),
    replays BIGINT NOT NULL CHECK (replays >= 0),
    status BIGINT,
    detail TEXT,
    duration_us BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (event_id, subscription_id)
);

CREATE INDEX delivery_recent ON delivery (subscription_id, created_at, id);
CREATE INDEX delivery_waiting ON delivery (updated_at) WHERE state = 'waiting';
CREATE INDEX delivery_queued ON delivery (updated_at) WHERE state = 'queued';
