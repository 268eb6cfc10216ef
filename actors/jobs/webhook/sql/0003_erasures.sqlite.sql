-- How far the service has deleted what it holds of accounts that were erased: the entry of auth's
-- audit log (actors/runtime/erasures.h). What others tell us may name an account, too. Deliveries are
-- kept for a time.

CREATE TABLE erasures (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    sequence BIGINT NOT NULL
);

INSERT INTO erasures (id, sequence) VALUES (1, 0);

ALTER TABLE inbound ADD COLUMN account TEXT;

CREATE INDEX inbound_by_account ON inbound (account) WHERE account IS NOT NULL;
CREATE INDEX event_by_account ON event (account);
CREATE INDEX delivery_by_age ON delivery (updated_at);
