-- What may happen once: entries for the audit log that were told by others, by their ids. A name may be
-- forgotten when nobody can come with it any more.
CREATE TABLE once (
    name TEXT COLLATE "C" PRIMARY KEY,
    expires_at BIGINT NOT NULL
);

CREATE INDEX once_by_expiry ON once (expires_at);
