-- How far the service has deleted what it holds of accounts that were erased: the entry of auth's
-- audit log (actors/runtime/erasures.h).

CREATE TABLE erasures (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    sequence BIGINT NOT NULL
);

INSERT INTO erasures (id, sequence) VALUES (1, 0);

CREATE INDEX outbox_by_account ON outbox (account);
-- changes of a status are kept as long as looks
CREATE INDEX change_by_age ON change (at);
