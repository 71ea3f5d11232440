-- compatible from: 10
-- Limits in segments, and how much of each is used; and what countries ask of senders.

-- `rate`: thousandths of a segment per second; 0 is none, likewise `per_day`. `customer_id`: whose messages are meant;
-- empty: those of all.
CREATE TABLE limits (
    id TEXT PRIMARY KEY,
    scope TEXT NOT NULL CHECK (scope IN ('number', 'customer', 'carrier', 'prefix')),
    subject TEXT NOT NULL,
    customer_id TEXT NOT NULL,
    applies TEXT NOT NULL CHECK (applies IN ('sending', 'accepting')),
    set_by TEXT NOT NULL CHECK (set_by IN ('operator', 'customer')),
    rate BIGINT NOT NULL,
    per_day BIGINT NOT NULL,
    zone TEXT NOT NULL,
    tm_create BIGINT NOT NULL,
    tm_update BIGINT NOT NULL
) WITHOUT ROWID;

CREATE UNIQUE INDEX limits_subject ON limits (scope, subject, customer_id, applies, set_by);
CREATE INDEX limits_customer ON limits (customer_id, id);

-- See messages/meters.py. Written with each claim that a limit is asked for.
CREATE TABLE limit_uses (
    limit_id TEXT PRIMARY KEY,
    free_at BIGINT NOT NULL,
    again_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    day_ends BIGINT NOT NULL,
    used BIGINT NOT NULL
) WITHOUT ROWID;

-- Senders -------------------------------------------------------------------------------

-- The countries in which a name is registered, or to which a short code belongs: ISO 3166-1, with spaces between them.
ALTER TABLE numbers ADD COLUMN registered_in TEXT NOT NULL DEFAULT '';

-- What the operator says instead of senders/countries.py. `customer_id`: for whom; empty: for all.
CREATE TABLE sender_rules (
    country TEXT NOT NULL,
    customer_id TEXT NOT NULL,
    alphanumeric TEXT NOT NULL CHECK (alphanumeric IN ('yes', 'registered', 'no')),
    PRIMARY KEY (country, customer_id)
) WITHOUT ROWID;

-- Numbers of one customer, of which one is chosen for each recipient. `numbers`: their ids, with spaces between them.
CREATE TABLE sender_pools (
    id TEXT PRIMARY KEY,
    customer_id TEXT NOT NULL,
    name TEXT NOT NULL,
    numbers TEXT NOT NULL,
    sticky BIGINT NOT NULL CHECK (sticky IN (0, 1)),
    prefer_country BIGINT NOT NULL CHECK (prefer_country IN (0, 1)),
    tm_create BIGINT NOT NULL,
    tm_update BIGINT NOT NULL
) WITHOUT ROWID;

CREATE UNIQUE INDEX sender_pools_name ON sender_pools (customer_id, name);
CREATE INDEX sender_pools_customer ON sender_pools (customer_id, id);

-- The number that was chosen for this target; NULL where it is the message's.
ALTER TABLE targets ADD COLUMN own_source TEXT;
