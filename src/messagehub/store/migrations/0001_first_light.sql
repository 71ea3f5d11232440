-- The first tables, in SQLite's words (postgres.py translates three of them).
--
-- Times are microseconds; 253370764800000000 is 9999-01-01, "not yet". Ids are UUIDv7 as text, so the order of a key
-- is the order of creation. No foreign keys: rows are reached by the ids of their parents, and tables can later be
-- partitioned by ranges of id.

-- accounts ------------------------------------------------------------------------------

CREATE TABLE customers (
    id TEXT PRIMARY KEY,
    role TEXT NOT NULL CHECK (role IN ('operator', 'customer')),
    name TEXT NOT NULL,
    detail TEXT NOT NULL,
    email TEXT NOT NULL,
    phone_number TEXT NOT NULL,
    address TEXT NOT NULL,
    webhook_uri TEXT NOT NULL,
    webhook_method TEXT NOT NULL,
    webhook_events TEXT NOT NULL,
    webhook_statuses TEXT NOT NULL,
    webhook_secret TEXT NOT NULL,
    webhook_disabled TEXT NOT NULL,
    on_doubt TEXT NOT NULL CHECK (on_doubt IN ('resend', 'hold')),
    tm_create BIGINT NOT NULL,
    tm_update BIGINT NOT NULL,
    tm_delete BIGINT NOT NULL
) WITHOUT ROWID;

CREATE TABLE logins (
    username TEXT PRIMARY KEY,
    customer_id TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    tm_create BIGINT NOT NULL
) WITHOUT ROWID;

CREATE TABLE accesskeys (
    id TEXT PRIMARY KEY,
    customer_id TEXT NOT NULL,
    hash TEXT NOT NULL UNIQUE,
    prefix TEXT NOT NULL,
    name TEXT NOT NULL,
    tm_expire BIGINT NOT NULL,
    tm_create BIGINT NOT NULL,
    tm_delete BIGINT NOT NULL
) WITHOUT ROWID;

-- numbers -------------------------------------------------------------------------------

CREATE TABLE numbers (
    id TEXT PRIMARY KEY,
    customer_id TEXT NOT NULL,
    number TEXT NOT NULL,
    name TEXT NOT NULL,
    detail TEXT NOT NULL,
    message_flow_id TEXT NOT NULL,
    tm_create BIGINT NOT NULL,
    tm_update BIGINT NOT NULL,
    tm_delete BIGINT NOT NULL
) WITHOUT ROWID;

CREATE UNIQUE INDEX numbers_number ON numbers (number) WHERE tm_delete = 253370764800000000;
CREATE INDEX numbers_customer ON numbers (customer_id, id);

-- carriers and routes -------------------------------------------------------------------

CREATE TABLE carriers (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    type TEXT NOT NULL,
    config TEXT NOT NULL,
    disabled BIGINT NOT NULL CHECK (disabled IN (0, 1)),
    tm_create BIGINT NOT NULL,
    tm_update BIGINT NOT NULL,
    tm_delete BIGINT NOT NULL
) WITHOUT ROWID;

CREATE TABLE routes (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    prefix TEXT NOT NULL,
    carrier_id TEXT NOT NULL,
    priority BIGINT NOT NULL,
    weight BIGINT NOT NULL,
    customer_id TEXT NOT NULL,
    tm_create BIGINT NOT NULL,
    tm_update BIGINT NOT NULL,
    tm_delete BIGINT NOT NULL
) WITHOUT ROWID;

-- messages ------------------------------------------------------------------------------

-- A message with one target takes its status from it; one with several counts its targets per group of statuses.
CREATE TABLE messages (
    id TEXT PRIMARY KEY,
    customer_id TEXT NOT NULL,
    direction TEXT NOT NULL CHECK (direction IN ('outbound', 'inbound')),
    source TEXT NOT NULL,
    source_detail TEXT NOT NULL,
    destination TEXT NOT NULL,
    text TEXT NOT NULL,
    octets BLOB,
    on_doubt TEXT NOT NULL CHECK (on_doubt IN ('', 'resend', 'hold')),
    target_count BIGINT NOT NULL,
    waiting_count BIGINT NOT NULL,
    sent_count BIGINT NOT NULL,
    delivered_count BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    tm_create BIGINT NOT NULL,
    tm_update BIGINT NOT NULL,
    tm_delete BIGINT NOT NULL
) WITHOUT ROWID;

CREATE INDEX messages_customer ON messages (customer_id, direction, id);
CREATE INDEX messages_source ON messages (customer_id, source, direction, id);

-- `due_at`: when something is to be done about the target. While queued: hand it over. While handed: since when it is
-- in flight. While sent: give up waiting for its receipt. NULL when nothing is to be done.
-- `receipts`: a letter per part of a target with several parts; see messages/receipts.py.
CREATE TABLE targets (
    message_id TEXT NOT NULL,
    n BIGINT NOT NULL,
    customer_id TEXT NOT NULL,
    destination TEXT NOT NULL,
    destination_detail TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN (
        'queued', 'handed', 'sent', 'delivered', 'failed', 'gw_timeout', 'dlr_timeout', 'received')),
    error_code TEXT NOT NULL,
    error_message TEXT NOT NULL,
    parts BIGINT NOT NULL,
    receipts TEXT NOT NULL,
    carrier_id TEXT NOT NULL,
    lane BIGINT NOT NULL,
    due_at BIGINT,
    holder TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    doubts BIGINT NOT NULL,
    possible_duplicate BIGINT NOT NULL CHECK (possible_duplicate IN (0, 1)),
    sequence BIGINT NOT NULL,
    tm_update BIGINT NOT NULL,
    PRIMARY KEY (message_id, n),
    CHECK ((status IN ('queued', 'handed', 'sent')) = (due_at IS NOT NULL))
) WITHOUT ROWID;

CREATE INDEX targets_due ON targets (status, carrier_id, lane, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX targets_destination ON targets (customer_id, destination, message_id);

-- What a carrier calls each segment that it accepted, by which its receipts name it.
CREATE TABLE segments (
    carrier_id TEXT NOT NULL,
    carrier_message_id TEXT NOT NULL,
    message_id TEXT NOT NULL,
    n BIGINT NOT NULL,
    part BIGINT NOT NULL,
    PRIMARY KEY (carrier_id, carrier_message_id, message_id, n, part)
) WITHOUT ROWID;

-- Receipts that matched nothing when they came, most of them because they overtook their response.
CREATE TABLE parked_receipts (
    id TEXT PRIMARY KEY,
    carrier_id TEXT NOT NULL,
    carrier_message_id TEXT NOT NULL,
    body TEXT NOT NULL,
    sweeps BIGINT NOT NULL,
    due_at BIGINT,
    tm_create BIGINT NOT NULL
) WITHOUT ROWID;

CREATE INDEX parked_receipts_name ON parked_receipts (carrier_id, carrier_message_id);
CREATE INDEX parked_receipts_due ON parked_receipts (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX parked_receipts_age ON parked_receipts (tm_create) WHERE due_at IS NULL;

-- Parts of long inbound messages whose other parts are still to come.
CREATE TABLE inbound_parts (
    carrier_id TEXT NOT NULL,
    source TEXT NOT NULL,
    destination TEXT NOT NULL,
    reference BIGINT NOT NULL,
    width BIGINT NOT NULL,
    total BIGINT NOT NULL,
    part BIGINT NOT NULL,
    text TEXT NOT NULL,
    octets BLOB,
    tm_create BIGINT NOT NULL,
    PRIMARY KEY (carrier_id, source, destination, reference, width, total, part)
) WITHOUT ROWID;

CREATE INDEX inbound_parts_age ON inbound_parts (tm_create);

-- webhooks ------------------------------------------------------------------------------

CREATE TABLE events (
    id TEXT PRIMARY KEY,
    customer_id TEXT NOT NULL,
    message_id TEXT NOT NULL,
    type TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('pending', 'delivered', 'failed')),
    attempts BIGINT NOT NULL,
    due_at BIGINT,
    response_status BIGINT NOT NULL,
    tm_create BIGINT NOT NULL,
    tm_update BIGINT NOT NULL
) WITHOUT ROWID;

CREATE INDEX events_due ON events (customer_id, due_at) WHERE due_at IS NOT NULL;

-- Apart from the events, whose rows are written again with each attempt.
CREATE TABLE event_bodies (
    event_id TEXT PRIMARY KEY,
    body BLOB NOT NULL
) WITHOUT ROWID;

-- Only attempts that failed have a row: a first success stands on the event itself.
CREATE TABLE event_attempts (
    event_id TEXT NOT NULL,
    attempt BIGINT NOT NULL,
    response_status BIGINT NOT NULL,
    error TEXT NOT NULL,
    tm_create BIGINT NOT NULL,
    PRIMARY KEY (event_id, attempt)
) WITHOUT ROWID;

-- work ----------------------------------------------------------------------------------

CREATE TABLE nodes (
    id TEXT PRIMARY KEY,
    tm_lease BIGINT NOT NULL
) WITHOUT ROWID;
