-- name: endpoints_due
-- A walk from one customer to the next along the index, instead of over all that wait.
WITH RECURSIVE due (customer_id) AS (
    SELECT (SELECT MIN(customer_id) FROM events WHERE due_at IS NOT NULL)
    UNION ALL
    SELECT (SELECT MIN(events.customer_id) FROM events
        WHERE events.due_at IS NOT NULL AND events.customer_id > due.customer_id)
    FROM due WHERE due.customer_id IS NOT NULL
)
SELECT customer_id FROM due
WHERE customer_id IS NOT NULL AND EXISTS (
    SELECT 1 FROM events WHERE events.customer_id = due.customer_id AND events.due_at <= :now);

-- name: events_waiting
SELECT COUNT(*) AS count FROM (SELECT due_at FROM events WHERE due_at IS NOT NULL LIMIT :count) AS found;

-- name: oldest_event_due
-- The same walk, to the first event of each customer.
WITH RECURSIVE due (customer_id) AS (
    SELECT (SELECT MIN(customer_id) FROM events WHERE due_at IS NOT NULL)
    UNION ALL
    SELECT (SELECT MIN(events.customer_id) FROM events
        WHERE events.due_at IS NOT NULL AND events.customer_id > due.customer_id)
    FROM due WHERE due.customer_id IS NOT NULL
)
SELECT MIN(oldest) AS oldest FROM (
    SELECT (SELECT MIN(events.due_at) FROM events
        WHERE events.customer_id = due.customer_id AND events.due_at IS NOT NULL) AS oldest
    FROM due WHERE due.customer_id IS NOT NULL) AS first_of_each;

-- name: lease_event
UPDATE events SET due_at = :lease, leased = 1 WHERE customer_id = :customer_id AND id = :id AND due_at = :due_at;

-- name: release_event
-- It was leased and not tried. It is due as of its making, so that first attempts stay in order.
UPDATE events SET due_at = :tm_create, leased = 0
WHERE customer_id = :customer_id AND id = :id AND due_at = :lease AND leased = 1;

-- name: release_events
-- After a restart of the only node: what it had leased is due at once, and what was not tried as of its making.
UPDATE events SET due_at = CASE WHEN attempts = 0 AND tm_create < :now THEN tm_create ELSE :now END, leased = 0
WHERE due_at > :now AND leased = 1;

-- name: events_set_back
-- What was due before the clock was set back, or is soon to be tried again. What is leased ends by itself.
SELECT customer_id, id FROM events WHERE due_at > :now AND due_at <= :tm_latest AND leased = 0 LIMIT :count;

-- name: bring_event_forward
UPDATE events SET due_at = CASE WHEN due_at - :step < :now THEN due_at - :step ELSE :now END
WHERE customer_id = :customer_id AND id = :id AND leased = 0;

-- name: event_delivered
UPDATE events SET status = 'delivered', due_at = NULL, leased = 0, attempts = :attempts,
    response_status = :response_status, error = '', tm_update = :now
WHERE customer_id = :customer_id AND id = :id;

-- name: event_failed
-- One that another node has taken over meanwhile is that one's to conclude.
UPDATE events SET status = :status, due_at = :due_at, leased = 0, attempts = :attempts,
    response_status = :response_status, error = :error, tm_update = :now
WHERE customer_id = :customer_id AND id = :id AND status = 'pending' AND due_at = :lease;

-- name: insert_event_attempt
INSERT INTO event_attempts (event_id, attempt, response_status, error, tm_create)
VALUES (:id, :attempts, :response_status, :error, :now) ON CONFLICT DO NOTHING;

-- name: drop_event
-- By its key alone: of a new table PostgreSQL thinks that hardly a row is pending, and reads all for each that is given.
UPDATE events SET status = 'failed', due_at = NULL, error = 'gone', tm_update = :now
WHERE customer_id = :customer_id AND id = :id;

-- name: insert_trial
-- A test of an endpoint, which was made once and is not made again.
INSERT INTO events (customer_id, id, message_id, type, status, attempts, attempts_before, due_at, leased,
    response_status, error, tm_create, tm_update)
VALUES (:customer_id, :id, '', :type, :status, :attempts, 0, NULL, 0, :response_status, :error, :tm_create, :now);

-- how an endpoint fares ------------------------------------------------------------------

-- name: webhook_fails
-- The address is repeated, so that one that was changed meanwhile is not blamed for its forerunner.
UPDATE customers SET webhook_error = :error,
    tm_webhook_failing = CASE WHEN tm_webhook_failing = 253370764800000000 THEN :now ELSE tm_webhook_failing END
WHERE id = :id AND webhook_uri = :webhook_uri;

-- name: webhook_recovered
UPDATE customers SET tm_webhook_failing = 253370764800000000, tm_webhook_recovered = :now
WHERE id = :id AND webhook_uri = :webhook_uri AND tm_webhook_failing < 253370764800000000;

-- looking at deliveries ------------------------------------------------------------------

-- name: deliveries_page
SELECT * FROM events
WHERE customer_id = :customer_id AND id < :before AND id >= :after AND tm_create >= :since AND tm_create < :until
    AND type >= :first_type AND type <= :last_type AND status >= :first_status AND status <= :last_status
ORDER BY id DESC LIMIT :count;

-- name: event_body
SELECT event_id, body FROM event_bodies WHERE message_id = :message_id AND event_id = :id;

-- name: deliveries_page_failed
-- Joined to itself, since SQLite's planner takes the index of failed ones only where that has all it asks for.
SELECT events.* FROM events AS failed JOIN events ON events.customer_id = failed.customer_id AND events.id = failed.id
WHERE failed.customer_id = :customer_id AND failed.status = 'failed' AND failed.id < :before AND failed.id >= :after
    AND events.tm_create >= :since AND events.tm_create < :until
    AND events.type >= :first_type AND events.type <= :last_type
ORDER BY failed.id DESC LIMIT :count;

-- name: deliveries_page_of_message
SELECT events.* FROM event_bodies JOIN events ON events.id = event_bodies.event_id
WHERE events.customer_id = :customer_id AND event_bodies.message_id = :message_id
    AND event_bodies.event_id < :before AND event_bodies.event_id >= :after
    AND events.tm_create >= :since AND events.tm_create < :until
    AND events.type >= :first_type AND events.type <= :last_type
    AND events.status >= :first_status AND events.status <= :last_status
ORDER BY event_bodies.event_id DESC LIMIT :count;

-- name: deliveries_floor
-- How far back a look at so many events reaches, where few of them may be the ones that are looked for.
SELECT MIN(id) AS id, COUNT(*) AS seen FROM (
    SELECT id FROM events WHERE customer_id = :customer_id AND id < :before AND id >= :after
    ORDER BY id DESC LIMIT :count) AS newest;

-- name: deliveries_floor_failed
SELECT MIN(id) AS id, COUNT(*) AS seen FROM (
    SELECT id FROM events WHERE customer_id = :customer_id AND status = 'failed' AND id < :before AND id >= :after
    ORDER BY id DESC LIMIT :count) AS newest;

-- name: delivery_by_id
SELECT events.*, event_bodies.body FROM events JOIN event_bodies
    ON event_bodies.message_id = events.message_id AND event_bodies.event_id = events.id
WHERE events.customer_id = :customer_id AND events.id = :id;

-- name: attempts_of_event
SELECT attempt, response_status, error, tm_create FROM event_attempts WHERE event_id = :id
ORDER BY attempt DESC LIMIT :count;

-- telling again --------------------------------------------------------------------------

-- name: deliveries_from
SELECT * FROM events WHERE customer_id = :customer_id AND id > :behind AND id < :before ORDER BY id LIMIT :count;

-- name: deliveries_from_failed
SELECT events.* FROM events AS failed JOIN events ON events.customer_id = failed.customer_id AND events.id = failed.id
WHERE failed.customer_id = :customer_id AND failed.status = 'failed' AND failed.id > :behind AND failed.id < :before
ORDER BY failed.id LIMIT :count;

-- name: deliveries_from_of_message
SELECT events.* FROM event_bodies JOIN events ON events.id = event_bodies.event_id
WHERE events.customer_id = :customer_id AND event_bodies.message_id = :message_id
    AND event_bodies.event_id > :behind AND event_bodies.event_id < :before
ORDER BY event_bodies.event_id LIMIT :count;

-- name: replay_event
-- What it was is repeated, so that one that is taken up or concluded at the same moment is left alone.
UPDATE events SET status = 'pending', due_at = :now, leased = 0, attempts_before = :attempts, tm_update = :now
WHERE customer_id = :customer_id AND id = :id AND status = :status AND attempts = :attempts AND leased = :leased;
