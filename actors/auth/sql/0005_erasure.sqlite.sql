-- Who asks for it is erased. What remains of them in the audit log are ids that nothing explains any
-- more: the address a request came from is sealed with a key of its user, `veil`, which goes with the
-- user. The chain covers the sealed bytes, so it stays whole. Entries before this one have their
-- addresses readable.

ALTER TABLE users ADD COLUMN veil BLOB CHECK (length(veil) = 32);

UPDATE users SET veil = randomblob(32);

ALTER TABLE audit ADD COLUMN veiled BLOB;

-- What was sent to an address goes with it.
CREATE INDEX invites_by_email ON invites (lower(email));
CREATE INDEX invites_by_account ON invites (account_id);
CREATE INDEX mails_by_recipient ON mails (lower(recipient));
