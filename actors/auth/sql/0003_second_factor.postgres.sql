-- One-time passwords (RFC 6238) as a second factor. `secret` is sealed; without `confirmed_at` nobody
-- is asked for it. `last_step` is the newest step that a code was taken for: none is taken twice.

CREATE TABLE second_factors (
    user_id TEXT COLLATE "C" PRIMARY KEY REFERENCES users (id),
    secret BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    confirmed_at BIGINT,
    last_step BIGINT NOT NULL DEFAULT 0
);

-- For when the device is lost; each is deleted when it is used.
CREATE TABLE recovery_codes (
    hash BYTEA PRIMARY KEY CHECK (octet_length(hash) = 32),
    user_id TEXT COLLATE "C" NOT NULL REFERENCES second_factors (user_id) ON DELETE CASCADE
);

CREATE INDEX recovery_codes_by_user ON recovery_codes (user_id);
