-- The tier that an account has paid for, and by which subscription: two events that are handled at the same
-- moment end with the newer one's, and the end of another subscription takes nothing away.

ALTER TABLE billing ADD COLUMN tier TEXT;
ALTER TABLE billing ADD COLUMN subscription TEXT;
