CREATE TABLE ledger (
    thread BIGINT NOT NULL,
    number BIGINT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (thread, number)
);

-- Fails with the SQLSTATE it is given: what a full disk and the like look like to a client.
CREATE FUNCTION fail(state TEXT) RETURNS BIGINT LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'asked to fail' USING ERRCODE = state;
END
$$;
