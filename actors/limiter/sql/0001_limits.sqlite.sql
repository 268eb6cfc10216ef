-- Policies, and what has been used of them lately. Times are milliseconds since 1970.

-- At most `amount` in any `window_ms`, or for gcra an even rate of that with `burst` at once.
CREATE TABLE policy (
    name TEXT PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 64),
    algorithm TEXT NOT NULL CHECK (algorithm IN ('window', 'gcra')),
    amount INTEGER NOT NULL CHECK (amount BETWEEN 1 AND 1000000),
    window_ms INTEGER NOT NULL CHECK (window_ms BETWEEN 1 AND 2678400000),
    burst INTEGER NOT NULL CHECK (burst BETWEEN 0 AND 1000000),
    CHECK ((algorithm = 'gcra') = (burst > 0))
) STRICT, WITHOUT ROWID;

-- Grows with every change of a policy, so that instances see whether theirs are the present ones.
CREATE TABLE policy_set (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    version INTEGER NOT NULL
) STRICT;

INSERT INTO policy_set (id, version) VALUES (1, 1);

-- What holds until an administrator says otherwise. A policy is looked for as "<tier>.<class>", then
-- as "<class>"; the name of a tier alone is its general limit. "anonymous" is generous: it is who
-- tries this out on a machine of their own.
INSERT INTO policy (name, algorithm, amount, window_ms, burst) VALUES
    ('address', 'window', 100, 900000, 0),
    ('anonymous', 'window', 600, 60000, 0),
    ('free', 'window', 20, 60000, 0),
    ('pro', 'window', 100, 60000, 0),
    ('enterprise', 'window', 500, 60000, 0),
    ('anonymous.analysis', 'window', 300, 3600000, 0),
    ('free.analysis', 'window', 10, 3600000, 0),
    ('pro.analysis', 'window', 100, 3600000, 0),
    ('enterprise.analysis', 'window', 1000, 3600000, 0),
    ('auth.failures', 'window', 5, 900000, 0),
    ('enqueue', 'window', 10, 3600000, 0),
    ('read', 'window', 100, 60000, 0),
    ('anonymous.read', 'window', 1000, 60000, 0);

-- What a subject has used, in msgpack (engine.h), until nothing of it counts any more. A higher
-- epoch is a later owner; an earlier one may not write over it.
CREATE TABLE usage (
    subject TEXT PRIMARY KEY,
    epoch INTEGER NOT NULL CHECK (epoch > 0),
    expires_at INTEGER NOT NULL,
    state BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX usage_expiry ON usage (expires_at);
