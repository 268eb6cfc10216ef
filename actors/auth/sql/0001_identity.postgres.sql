-- Who there is and what they may do. Times are milliseconds since 1970; whatever is secret is stored
-- as a hash or sealed with a key that is not in the database. Ids and names of ours compare
-- by their bytes, as in SQLite.

CREATE TABLE accounts (
    id TEXT COLLATE "C" PRIMARY KEY CHECK (length(id) = 36),
    name TEXT NOT NULL,
    tier TEXT NOT NULL CHECK (tier IN ('free', 'pro', 'enterprise')),
    created_at BIGINT NOT NULL
);

-- `email_key` is the address in lower case, by which it is one; programs have none. `password` is
-- an Argon2id string; NULL: the user cannot sign in with a password.
CREATE TABLE users (
    id TEXT COLLATE "C" PRIMARY KEY CHECK (length(id) = 36),
    account_id TEXT COLLATE "C" NOT NULL REFERENCES accounts (id),
    email TEXT,
    email_key TEXT COLLATE "C" UNIQUE,
    name TEXT NOT NULL,
    password TEXT,
    role TEXT NOT NULL CHECK (role IN ('user', 'admin', 'ops', 'service')),
    is_owner BIGINT NOT NULL CHECK (is_owner IN (0, 1)),
    status TEXT NOT NULL CHECK (status IN ('active', 'disabled')),
    created_at BIGINT NOT NULL,
    last_login_at BIGINT
);

CREATE INDEX users_recent ON users (created_at, id);
CREATE INDEX users_by_account ON users (account_id, created_at, id);

-- One signing in: the family of refresh tokens that came of it.
CREATE TABLE sessions (
    id TEXT COLLATE "C" PRIMARY KEY CHECK (length(id) = 36),
    user_id TEXT COLLATE "C" NOT NULL REFERENCES users (id),
    address TEXT,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT
);

CREATE INDEX sessions_by_user ON sessions (user_id, created_at, id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

CREATE TABLE refresh_tokens (
    hash BYTEA PRIMARY KEY CHECK (octet_length(hash) = 32),
    session_id TEXT COLLATE "C" NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    used_at BIGINT
);

CREATE INDEX refresh_tokens_by_session ON refresh_tokens (session_id);

-- `scopes` is a JSON array of names.
CREATE TABLE api_keys (
    id TEXT COLLATE "C" PRIMARY KEY CHECK (length(id) = 36),
    user_id TEXT COLLATE "C" NOT NULL REFERENCES users (id),
    name TEXT NOT NULL,
    hash BYTEA NOT NULL CHECK (octet_length(hash) = 32),
    scopes TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    last_used_at BIGINT,
    revoked_at BIGINT
);

CREATE INDEX api_keys_by_user ON api_keys (user_id, created_at, id);

-- What access tokens are signed with: `seed` is sealed. `expires_at` is set when the next key takes
-- over.
CREATE TABLE signing_keys (
    kid TEXT COLLATE "C" PRIMARY KEY,
    x BYTEA NOT NULL CHECK (octet_length(x) = 32),
    seed BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    signs_from BIGINT NOT NULL,
    expires_at BIGINT
);

-- `account_id` NULL: whoever uses it gets a new account of that tier.
CREATE TABLE invites (
    id TEXT COLLATE "C" PRIMARY KEY CHECK (length(id) = 36),
    hash BYTEA NOT NULL UNIQUE CHECK (octet_length(hash) = 32),
    email TEXT,
    account_id TEXT COLLATE "C" REFERENCES accounts (id),
    role TEXT NOT NULL CHECK (role IN ('user', 'admin', 'ops', 'service')),
    tier TEXT NOT NULL CHECK (tier IN ('free', 'pro', 'enterprise')),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);

CREATE INDEX invites_recent ON invites (created_at, id);

CREATE TABLE reset_tokens (
    hash BYTEA PRIMARY KEY CHECK (octet_length(hash) = 32),
    user_id TEXT COLLATE "C" NOT NULL REFERENCES users (id),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE INDEX reset_tokens_by_user ON reset_tokens (user_id);
CREATE INDEX reset_tokens_by_expiry ON reset_tokens (expires_at);

-- Mails to be sent, in the transaction of what they tell. `content` is sealed: it holds codes.
CREATE TABLE mails (
    id TEXT COLLATE "C" PRIMARY KEY CHECK (length(id) = 36),
    kind TEXT NOT NULL CHECK (kind IN ('password_reset', 'password_changed', 'invite')),
    recipient TEXT NOT NULL,
    content BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE INDEX mails_by_expiry ON mails (expires_at);

-- What was done, in the order of the commits and without gaps: whoever appends locks the head.
-- `hash` is keyed and covers the entry and the hash before it. `changed` names what the entry made
-- untrue of what others remember ("user", "session" ...): it is announced.
CREATE TABLE audit (
    sequence BIGINT PRIMARY KEY CHECK (sequence > 0),
    at BIGINT NOT NULL,
    action TEXT COLLATE "C" NOT NULL,
    user_id TEXT COLLATE "C",
    account_id TEXT COLLATE "C",
    target TEXT,
    changed TEXT CHECK (changed IN ('user', 'account', 'session', 'key', 'all')),
    address TEXT,
    request_id TEXT,
    detail TEXT,
    hash BYTEA NOT NULL CHECK (octet_length(hash) = 32)
);

CREATE INDEX audit_by_user ON audit (user_id, sequence);
CREATE INDEX audit_by_user_and_action ON audit (user_id, action, sequence);
CREATE INDEX audit_by_action ON audit (action, sequence);

CREATE TABLE audit_head (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    sequence BIGINT NOT NULL,
    hash BYTEA NOT NULL CHECK (octet_length(hash) = 32)
);

INSERT INTO audit_head (id, sequence, hash) VALUES (1, 0, decode(repeat('00', 32), 'hex'));

-- `tiers` and `accounts` are JSON arrays.
CREATE TABLE flags (
    name TEXT COLLATE "C" PRIMARY KEY,
    about TEXT NOT NULL,
    is_enabled BIGINT NOT NULL CHECK (is_enabled IN (0, 1)),
    tiers TEXT NOT NULL,
    accounts TEXT NOT NULL,
    percentage BIGINT NOT NULL CHECK (percentage BETWEEN 0 AND 100),
    updated_at BIGINT NOT NULL
);
