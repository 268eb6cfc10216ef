-- What the database tests keep: a column of every type, and constraints. "Quotes" and \ stay.
CREATE TABLE thing (
    id BIGINT PRIMARY KEY,
    small SMALLINT CHECK (small BETWEEN 0 AND 100),
    number DOUBLE PRECISION,
    flag BOOLEAN,
    name TEXT UNIQUE,
    body BYTEA
);
