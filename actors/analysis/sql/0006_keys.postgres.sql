-- What was analysed before is found by its key, which hardly two accounts share: an index that begins
-- with the account looks, on a new database, no better than the others that do.
ALTER TABLE analysis ADD UNIQUE (key, account);
ALTER TABLE analysis DROP CONSTRAINT analysis_account_key_key;

-- A result that was compressed stays in its row up to this size: of the usual one, two kilobytes,
-- the server would put a part elsewhere, with an index of its own.
ALTER TABLE analysis SET (toast_tuple_target = 4096);
