-- Who asks for it is erased. What remains of them in the audit log are ids that nothing explains any
-- more: the address a request came from is sealed with a key of its user, `veil`, which goes with the
-- user. The chain covers the sealed bytes, so it stays whole. Entries before this one have their
-- addresses readable.

ALTER TABLE users ADD COLUMN veil BYTEA CHECK (octet_length(veil) = 32);

UPDATE users SET veil =
    decode(replace(CAST(gen_random_uuid() AS TEXT) || CAST(gen_random_uuid() AS TEXT), '-', ''), 'hex');

ALTER TABLE audit ADD COLUMN veiled BYTEA;
ALTER TABLE audit ALTER COLUMN target TYPE TEXT COLLATE "C";

-- What was sent to an address goes with it.
CREATE INDEX invites_by_email ON invites (lower(email COLLATE "C"));
CREATE INDEX invites_by_account ON invites (account_id);
CREATE INDEX mails_by_recipient ON mails (lower(recipient COLLATE "C"));
