-- Logins that give tokens, access keys that are looked after, and the keys that sign tokens.

-- A customer has had one login so far, so the customer's id tells its login from others, too.
ALTER TABLE logins ADD COLUMN id TEXT NOT NULL DEFAULT '';
UPDATE logins SET id = customer_id;
ALTER TABLE logins ADD COLUMN tm_password BIGINT NOT NULL DEFAULT 0;
CREATE INDEX logins_customer ON logins (customer_id);

ALTER TABLE accesskeys ADD COLUMN detail TEXT NOT NULL DEFAULT '';
ALTER TABLE accesskeys ADD COLUMN tm_last_use BIGINT NOT NULL DEFAULT 253370764800000000;
ALTER TABLE accesskeys ADD COLUMN tm_update BIGINT NOT NULL DEFAULT 253370764800000000;
CREATE INDEX accesskeys_customer ON accesskeys (customer_id, id);

-- The newest signs; those before it verify while there may be tokens of theirs.
CREATE TABLE token_keys (
    id TEXT PRIMARY KEY,
    secret TEXT NOT NULL,
    tm_create BIGINT NOT NULL
) WITHOUT ROWID;
