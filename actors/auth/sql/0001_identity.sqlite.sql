-- Who there is and what they may do. Times are milliseconds since 1970; whatever is secret is stored
-- as a hash or sealed with a key that is not in the database.

CREATE TABLE accounts (
    id TEXT PRIMARY KEY CHECK (length(id) = 36),
    name TEXT NOT NULL,
    tier TEXT NOT NULL CHECK (tier IN ('free', 'pro', 'enterprise')),
    created_at INTEGER NOT NULL
) STRICT;

-- `email_key` is the address in lower case, by which it is one; programs have none. `password` is
-- an Argon2id string; NULL: the user cannot sign in with a password.
CREATE TABLE users (
    id TEXT PRIMARY KEY CHECK (length(id) = 36),
    account_id TEXT NOT NULL REFERENCES accounts (id),
    email TEXT,
    email_key TEXT UNIQUE,
    name TEXT NOT NULL,
    password TEXT,
    role TEXT NOT NULL CHECK (role IN ('user', 'admin', 'ops', 'service')),
    is_owner INTEGER NOT NULL CHECK (is_owner IN (0, 1)),
    status TEXT NOT NULL CHECK (status IN ('active', 'disabled')),
    created_at INTEGER NOT NULL,
    last_login_at INTEGER
) STRICT;

CREATE INDEX users_recent ON users (created_at, id);
CREATE INDEX users_by_account ON users (account_id, created_at, id);

-- One signing in: the family of refresh tokens that came of it.
CREATE TABLE sessions (
    id TEXT PRIMARY KEY CHECK (length(id) = 36),
    user_id TEXT NOT NULL REFERENCES users (id),
    address TEXT,
    created_at INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT;

CREATE INDEX sessions_by_user ON sessions (user_id, created_at, id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

CREATE TABLE refresh_tokens (
    hash BLOB PRIMARY KEY CHECK (length(hash) = 32),
    session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    used_at INTEGER
) STRICT;

CREATE INDEX refresh_tokens_by_session ON refresh_tokens (session_id);

-- `scopes` is a JSON array of names.
CREATE TABLE api_keys (
    id TEXT PRIMARY KEY CHECK (length(id) = 36),
    user_id TEXT NOT NULL REFERENCES users (id),
    name TEXT NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    scopes TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    last_used_at INTEGER,
    revoked_at INTEGER
) STRICT;

CREATE INDEX api_keys_by_user ON api_keys (user_id, created_at, id);

-- What access tokens are signed with: `seed` is sealed. `expires_at` is set when the next key takes
-- over.
CREATE TABLE signing_keys (
    kid TEXT PRIMARY KEY,
    x BLOB NOT NULL CHECK (length(x) = 32),
    seed BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    signs_from INTEGER NOT NULL,
    expires_at INTEGER
) STRICT;

-- `account_id` NULL: whoever uses it gets a new account of that tier.
CREATE TABLE invites (
    id TEXT PRIMARY KEY CHECK (length(id) = 36),
    hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
    email TEXT,
    account_id TEXT REFERENCES accounts (id),
    role TEXT NOT NULL CHECK (role IN ('user', 'admin', 'ops', 'service')),
    tier TEXT NOT NULL CHECK (tier IN ('free', 'pro', 'enterprise')),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER
) STRICT;

CREATE INDEX invites_recent ON invites (created_at, id);

CREATE TABLE reset_tokens (
    hash BLOB PRIMARY KEY CHECK (length(hash) = 32),
    user_id TEXT NOT NULL REFERENCES users (id),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE INDEX reset_tokens_by_user ON reset_tokens (user_id);
CREATE INDEX reset_tokens_by_expiry ON reset_tokens (expires_at);

-- Mails to be sent, in the transaction of what they tell. `content` is sealed: it holds codes.
CREATE TABLE mails (
    id TEXT PRIMARY KEY CHECK (length(id) = 36),
    kind TEXT NOT NULL CHECK (kind IN ('password_reset', 'password_changed', 'invite')),
    recipient TEXT NOT NULL,
    content BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE INDEX mails_by_expiry ON mails (expires_at);

-- What was done, in the order of the commits and without gaps: whoever appends locks the head.
-- `hash` is keyed and covers the entry and the hash before it. `changed` names what the entry made
-- untrue of what others remember ("user", "session" ...): it is announced.
CREATE TABLE audit (
    sequence INTEGER PRIMARY KEY CHECK (sequence > 0),
    at INTEGER NOT NULL,
    action TEXT NOT NULL,
    user_id TEXT,
    account_id TEXT,
    target TEXT,
    changed TEXT CHECK (changed IN ('user', 'account', 'session', 'key', 'all')),
    address TEXT,
    request_id TEXT,
    detail TEXT,
    hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;

CREATE INDEX audit_by_user ON audit (user_id, sequence);
CREATE INDEX audit_by_user_and_action ON audit (user_id, action, sequence);
CREATE INDEX audit_by_action ON audit (action, sequence);

CREATE TABLE audit_head (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    sequence INTEGER NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;

INSERT INTO audit_head (id, sequence, hash) VALUES (1, 0, zeroblob(32));

-- `tiers` and `accounts` are JSON arrays.
CREATE TABLE flags (
    name TEXT PRIMARY KEY,
    about TEXT NOT NULL,
    is_enabled INTEGER NOT NULL CHECK (is_enabled IN (0, 1)),
    tiers TEXT NOT NULL,
    accounts TEXT NOT NULL,
    percentage INTEGER NOT NULL CHECK (percentage BETWEEN 0 AND 100),
    updated_at INTEGER NOT NULL
) STRICT;
