-- Addresses are verified: by a code that is mailed there, as for a new password. Codes of both
-- purposes are one table; `email` is the address that one of `verify` proves.

ALTER TABLE users ADD COLUMN email_verified_at INTEGER;

CREATE TABLE codes (
    hash BLOB PRIMARY KEY CHECK (length(hash) = 32),
    purpose TEXT NOT NULL CHECK (purpose IN ('reset', 'verify')),
    user_id TEXT NOT NULL REFERENCES users (id),
    email TEXT,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    CHECK ((purpose = 'verify') = (email IS NOT NULL))
) STRICT;

CREATE INDEX codes_by_user ON codes (user_id, purpose, created_at);
CREATE INDEX codes_by_expiry ON codes (expires_at);

INSERT INTO codes (hash, purpose, user_id, created_at, expires_at)
    SELECT hash, 'reset', user_id, created_at, expires_at FROM reset_tokens;

DROP TABLE reset_tokens;

-- A constraint cannot be changed: the table is made anew.
CREATE TABLE mails_2 (
    id TEXT PRIMARY KEY CHECK (length(id) = 36),
    kind TEXT NOT NULL CHECK (kind IN
        ('password_reset', 'password_changed', 'invite', 'email_verify', 'email_changed',
        'second_factor_on', 'second_factor_off')),
    recipient TEXT NOT NULL,
    content BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

INSERT INTO mails_2 (id, kind, recipient, content, created_at, expires_at)
    SELECT id, kind, recipient, content, created_at, expires_at FROM mails;

DROP TABLE mails;
ALTER TABLE mails_2 RENAME TO mails;

CREATE INDEX mails_by_expiry ON mails (expires_at);
