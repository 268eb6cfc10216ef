-- Addresses are verified: by a code that is mailed there, as for a new password. Codes of both
-- purposes are one table; `email` is the address that one of `verify` proves.

ALTER TABLE users ADD COLUMN email_verified_at BIGINT;

CREATE TABLE codes (
    hash BYTEA PRIMARY KEY CHECK (octet_length(hash) = 32),
    purpose TEXT COLLATE "C" NOT NULL CHECK (purpose IN ('reset', 'verify')),
    user_id TEXT COLLATE "C" NOT NULL REFERENCES users (id),
    email TEXT,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    CHECK ((purpose = 'verify') = (email IS NOT NULL))
);

CREATE INDEX codes_by_user ON codes (user_id, purpose, created_at);
CREATE INDEX codes_by_expiry ON codes (expires_at);

INSERT INTO codes (hash, purpose, user_id, created_at, expires_at)
    SELECT hash, 'reset', user_id, created_at, expires_at FROM reset_tokens;

DROP TABLE reset_tokens;

ALTER TABLE mails DROP CONSTRAINT mails_kind_check;
ALTER TABLE mails ADD CHECK (kind IN
    ('password_reset', 'password_changed', 'invite', 'email_verify', 'email_changed',
    'second_factor_on', 'second_factor_off'));
