-- What the database tests keep: a column of every type, and constraints. "Quotes" and \ stay.
CREATE TABLE thing (
    id INTEGER PRIMARY KEY,
    small INTEGER CHECK (small BETWEEN 0 AND 100),
    number REAL,
    flag INTEGER,
    name TEXT UNIQUE,
    body BLOB
) STRICT;
