-- What requests of an API key are signed with; `secret` is sealed.
CREATE TABLE signing_secrets (
    key_id TEXT PRIMARY KEY REFERENCES api_keys (id) ON DELETE CASCADE,
    secret BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
