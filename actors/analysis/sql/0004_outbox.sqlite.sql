-- Events until `webhook.publish` has them (actors/runtime/outbox.h); `data` is JSON.
CREATE TABLE outbox (
    id TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    type TEXT NOT NULL,
    at INTEGER NOT NULL,
    data TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX outbox_by_age ON outbox (at);
CREATE INDEX outbox_by_account ON outbox (account);
