-- One-time passwords (RFC 6238) as a second factor. `secret` is sealed; without `confirmed_at` nobody
-- is asked for it. `last_step` is the newest step that a code was taken for: none is taken twice.

CREATE TABLE second_factors (
    user_id TEXT PRIMARY KEY REFERENCES users (id),
    secret BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    confirmed_at INTEGER,
    last_step INTEGER NOT NULL DEFAULT 0
) STRICT;

-- For when the device is lost; each is deleted when it is used.
CREATE TABLE recovery_codes (
    hash BLOB PRIMARY KEY CHECK (length(hash) = 32),
    user_id TEXT NOT NULL REFERENCES second_factors (user_id) ON DELETE CASCADE
) STRICT;

CREATE INDEX recovery_codes_by_user ON recovery_codes (user_id);
