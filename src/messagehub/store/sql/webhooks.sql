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
UPDATE events SET due_at = :lease WHERE id = :id AND due_at = :due_at;

-- name: release_events
-- After a restart of the only node: what it had leased is due at once.
UPDATE events SET due_at = :now WHERE due_at > :now AND attempts = 0;

-- name: event_delivered
UPDATE events SET status = 'delivered', due_at = NULL, attempts = :attempts, response_status = :response_status,
    tm_update = :now
WHERE id = :id;

-- name: event_failed
UPDATE events SET status = :status, due_at = :due_at, attempts = :attempts, response_status = :response_status,
    tm_update = :now
WHERE id = :id;

-- name: insert_event_attempt
INSERT INTO event_attempts (event_id, attempt, response_status, error, tm_create)
VALUES (:id, :attempts, :response_status, :error, :now) ON CONFLICT DO NOTHING;

-- name: postpone_events
-- Nothing is sent to an endpoint that is down; what is due for it waits for the next probe.
-- Also what was leased and never tried, so that first attempts stay in order.
UPDATE events SET due_at = :until
WHERE customer_id = :customer_id AND due_at IS NOT NULL AND (due_at <= :until OR attempts = 0);

-- name: drop_events
UPDATE events SET status = 'failed', due_at = NULL, tm_update = :now
WHERE customer_id = :customer_id AND due_at IS NOT NULL;
