-- What others tell us. Times are milliseconds since 1970. Ids and names of ours compare by their
-- bytes, as in SQLite.

-- Who may, how they sign, and what is done with it. The secrets, separated by line breaks, are sealed
-- under the name.
CREATE TABLE provider (
    name TEXT COLLATE "C" PRIMARY KEY,
    scheme TEXT NOT NULL CHECK (scheme IN ('standard', 'stripe', 'hmac')),
    header TEXT NOT NULL,
    kind TEXT NOT NULL,
    secrets BYTEA NOT NULL,
    updated_at BIGINT NOT NULL
);

-- What they have told, once by its id. It waits until there is a job for it.
CREATE TABLE inbound (
    provider TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    type TEXT,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'queued')),
    received_at BIGINT NOT NULL,
    PRIMARY KEY (provider, id)
);

CREATE INDEX inbound_waiting ON inbound (received_at) WHERE state = 'waiting';
CREATE INDEX inbound_by_age ON inbound (received_at);

-- When the subscription of an account last changed by its provider's clock, so that what is told late
-- does not undo what came after it.
CREATE TABLE billing (
    account TEXT COLLATE "C" PRIMARY KEY,
    changed_at BIGINT NOT NULL
);
