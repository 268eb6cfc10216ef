-- What requests of an API key are signed with; `secret` is sealed.
CREATE TABLE signing_secrets (
    key_id TEXT COLLATE "C" PRIMARY KEY REFERENCES api_keys (id) ON DELETE CASCADE,
    secret BYTEA NOT NULL,
    created_at BIGINT NOT NULL
);
