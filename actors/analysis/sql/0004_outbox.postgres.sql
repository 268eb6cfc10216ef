-- Events until `webhook.publish` has them (actors/runtime/outbox.h); `data` is JSON.
CREATE TABLE outbox (
    id TEXT COLLATE "C" PRIMARY KEY,
    account TEXT COLLATE "C" NOT NULL,
    type TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    data TEXT NOT NULL
);

CREATE INDEX outbox_by_age ON outbox (at);
CREATE INDEX outbox_by_account ON outbox (account);
