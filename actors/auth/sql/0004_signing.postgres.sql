-- What may happen once: entries for the audit log that were told by others, by their ids, and signed
-- requests, by their nonces. A name may be forgotten when nobody can come with it any more.
CREATE TABLE once (
    name TEXT COLLATE "C" PRIMARY KEY,
    expires_at BIGINT NOT NULL
);

CREATE INDEX once_by_expiry ON once (expires_at);

-- What requests of an API key are signed with; `secret` is sealed.
CREATE TABLE signing_secrets (
    key_id TEXT COLLATE "C" PRIMARY KEY REFERENCES api_keys (id) ON DELETE CASCADE,
    secret BYTEA NOT NULL,
    created_at BIGINT NOT NULL
);
