CREATE TABLE ledger (
    thread INTEGER NOT NULL,
    number INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (thread, number)
) STRICT, WITHOUT ROWID;
