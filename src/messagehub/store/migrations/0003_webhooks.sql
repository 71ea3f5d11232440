-- Deliveries of webhooks that can be listed and replayed; what is known of an endpoint; a secret that goes.

-- A customer's events stand together in the order of their making, so that listing them needs no index of its own.
-- `due_at`: when it is to be sent, or, while `leased`, until when it is being sent.
-- `attempts_before`: the attempts made when its schedule of retries began, which a replay begins anew.
-- `error`: the word for how the last attempt failed, or for why there was none.
ALTER TABLE events RENAME TO events_before;

CREATE TABLE events (
    customer_id TEXT NOT NULL,
    id TEXT NOT NULL,
    message_id TEXT NOT NULL,
    type TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('pending', 'delivered', 'failed')),
    attempts BIGINT NOT NULL,
    attempts_before BIGINT NOT NULL,
    due_at BIGINT,
    leased BIGINT NOT NULL CHECK (leased IN (0, 1)),
    response_status BIGINT NOT NULL,
    error TEXT NOT NULL,
    tm_create BIGINT NOT NULL,
    tm_update BIGINT NOT NULL,
    PRIMARY KEY (customer_id, id),
    CHECK ((status = 'pending') = (due_at IS NOT NULL))
) WITHOUT ROWID;

INSERT INTO events (customer_id, id, message_id, type, status, attempts, attempts_before, due_at, leased,
    response_status, error, tm_create, tm_update)
SELECT customer_id, id, message_id, type, status, attempts, 0, due_at, 0, response_status,
    COALESCE((SELECT event_attempts.error FROM event_attempts
        WHERE event_attempts.event_id = events_before.id AND event_attempts.attempt = events_before.attempts), ''),
    tm_create, tm_update
FROM events_before;

-- By the message, the events of one are found. Here and not on the events: what is never written again costs an index
-- nothing after its insert.
ALTER TABLE event_bodies RENAME TO event_bodies_before;

CREATE TABLE event_bodies (
    event_id TEXT PRIMARY KEY,
    message_id TEXT NOT NULL,
    body BLOB NOT NULL
) WITHOUT ROWID;

INSERT INTO event_bodies (event_id, message_id, body)
SELECT event_bodies_before.event_id, events_before.message_id, event_bodies_before.body
FROM event_bodies_before JOIN events_before ON events_before.id = event_bodies_before.event_id;

DROP TABLE events_before;
DROP TABLE event_bodies_before;

CREATE INDEX event_bodies_message ON event_bodies (message_id, event_id);
CREATE INDEX events_due ON events (customer_id, due_at) WHERE due_at IS NOT NULL;
-- Those that failed for good are few, and are looked for among many.
CREATE INDEX events_failed ON events (customer_id, id) WHERE status = 'failed';

ALTER TABLE customers ADD COLUMN webhook_error TEXT NOT NULL DEFAULT '';
ALTER TABLE customers ADD COLUMN tm_webhook_failing BIGINT NOT NULL DEFAULT 253370764800000000;
ALTER TABLE customers ADD COLUMN tm_webhook_recovered BIGINT NOT NULL DEFAULT 253370764800000000;
ALTER TABLE customers ADD COLUMN webhook_secret_old TEXT NOT NULL DEFAULT '';
ALTER TABLE customers ADD COLUMN tm_webhook_secret_old BIGINT NOT NULL DEFAULT 253370764800000000;
