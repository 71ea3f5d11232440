-- What cannot be said the same way for both stores. Each of these has its twin in postgres.sql.

-- name: clock
-- Differs: the one process that serves a file has one clock.
SELECT :now AS now;

-- name: renew_lease
-- Differs: likewise. Nothing where the node was taken for dead.
UPDATE nodes SET tm_lease = :now + :lease WHERE id = :id RETURNING id;

-- name: claim_targets
-- Differs: one writer at a time, so no row locks.
SELECT targets.message_id, targets.n, targets.customer_id, targets.destination, targets.destination_detail,
    targets.status, targets.parts, targets.carrier_id, targets.lane, targets.due_at,
    COALESCE(targets.own_source, messages.source) AS source, messages.source_detail, messages.text, messages.on_doubt, messages.target_count, messages.tm_create,
    targets.error_code, targets.error_message, targets.receipts, targets.holder, targets.attempts, targets.doubts,
    targets.retries, targets.possible_duplicate, targets.sequence, targets.tm_update, targets.tried, messages.tm_delete,
    messages.options, targets.own_source
FROM targets JOIN messages ON messages.id = targets.message_id
WHERE targets.status = 'queued' AND targets.carrier_id = :carrier_id AND targets.lane = :lane AND targets.due_at <= :now
ORDER BY targets.due_at LIMIT :count;

-- name: targets_to_ask
-- Differs: one writer at a time, so no row locks.
SELECT targets.message_id, targets.n, targets.receipts, targets.names, targets.retries,
    COALESCE(targets.own_source, messages.source) AS source
FROM targets JOIN messages ON messages.id = targets.message_id
WHERE targets.status = 'sent' AND targets.carrier_id = :carrier_id AND targets.lane = :lane AND targets.due_at <= :now
    AND targets.names IS NOT NULL
ORDER BY targets.due_at LIMIT :count;

-- name: target_for_change
-- Differs: one writer at a time, so no row locks.
SELECT targets.message_id, targets.n, targets.customer_id, targets.destination, targets.destination_detail,
    targets.status, targets.parts, targets.carrier_id, targets.lane, targets.due_at,
    COALESCE(targets.own_source, messages.source) AS source, messages.source_detail, messages.text, messages.on_doubt, messages.target_count, messages.tm_create,
    targets.error_code, targets.error_message, targets.receipts, targets.holder, targets.attempts, targets.doubts,
    targets.retries, targets.possible_duplicate, targets.sequence, targets.tm_update, targets.tried, messages.tm_delete,
    messages.options, targets.own_source
FROM targets JOIN messages ON messages.id = targets.message_id
WHERE targets.message_id = :message_id AND targets.n = :n;

-- name: customer_for_change
-- Differs: one writer at a time, so no row locks.
SELECT * FROM customers WHERE id = :id;

-- name: claim_events
-- Differs: one writer at a time, so no row locks.
SELECT events.id, events.customer_id, events.message_id,
    (SELECT LENGTH(body) FROM event_bodies WHERE event_bodies.message_id = events.message_id
        AND event_bodies.event_id = events.id) AS octets,
    events.attempts, events.attempts_before, events.due_at, events.tm_create
FROM events
WHERE events.customer_id = :customer_id AND events.due_at <= :now AND (events.due_at, events.id) > (:tm_after, :after)
ORDER BY events.due_at, events.id LIMIT :count;

-- name: events_to_drop
-- What is under way ends by itself; and what waits for another address, which was given meanwhile, is that one's.
-- Differs: one writer at a time, so no row locks.
SELECT customer_id, id FROM events WHERE customer_id = :customer_id AND due_at IS NOT NULL AND leased = 0
    AND EXISTS (SELECT 1 FROM customers WHERE customers.id = :customer_id AND customers.webhook_disabled <> '')
ORDER BY due_at LIMIT :count;

-- name: claim_untried
-- Differs: one node asks for no turns.
SELECT * FROM events WHERE customer_id = :customer_id AND id = :id AND due_at <= :now AND FALSE;

-- name: untried_of_message
-- Differs: one node asks for no turns.
SELECT * FROM events WHERE customer_id = :customer_id AND message_id = :message_id AND FALSE LIMIT :count;

-- name: under_way_of_message
-- Differs: one node asks for no turns.
SELECT * FROM events WHERE customer_id = :customer_id AND message_id = :message_id AND due_at > :now AND FALSE LIMIT 1;

-- name: carrier_for_change
-- Differs: one writer at a time, so no row locks.
SELECT * FROM carriers WHERE id = :id AND tm_delete = 253370764800000000;

-- name: route_for_change
-- Differs: one writer at a time, so no row locks.
SELECT * FROM routes WHERE id = :id AND tm_delete = 253370764800000000;

-- name: number_for_change
-- Differs: one writer at a time, so no row locks.
SELECT * FROM numbers WHERE id = :id AND tm_delete = 253370764800000000;

-- name: accesskey_for_change
-- Differs: one writer at a time, so no row locks.
SELECT * FROM accesskeys WHERE id = :id AND tm_delete = 253370764800000000;

-- name: flow_for_change
-- Differs: one writer at a time, so no row locks.
SELECT * FROM flows WHERE id = :id AND customer_id = :customer_id AND tm_delete = 253370764800000000;

-- name: sender_pool_for_change
-- Differs: one writer at a time, so no row locks.
SELECT * FROM sender_pools WHERE id = :id;

-- name: limit_for_change
-- Differs: one writer at a time, so no row locks.
SELECT * FROM limits WHERE id = :id;

-- name: claim_activeflows
-- Differs: one writer at a time, so no row locks.
SELECT * FROM activeflows WHERE due_at <= :now ORDER BY due_at LIMIT :count;

-- name: activeflow_for_change
-- Differs: one writer at a time, so no row locks.
SELECT * FROM activeflows WHERE id = :id;

-- name: waiting_activeflow
-- Differs: one writer at a time, so no row locks.
SELECT * FROM activeflows
WHERE person = :person AND number = :number AND is_waiting = 1 AND customer_id = :customer_id ORDER BY id DESC LIMIT 1;
-- name: conversation_for_change
-- Differs: one writer at a time, so no row locks.
SELECT * FROM conversations WHERE id = :id AND customer_id = :customer_id;

-- name: opt_out_for_change
-- Differs: one writer at a time, so no row locks.
SELECT id, customer_id, address, scope, status, source, tm_said FROM opt_outs
WHERE customer_id = :customer_id AND address = :address AND scope = :scope;

-- name: limit_use_for_change
-- Differs: one writer at a time, so no row locks.
SELECT * FROM limit_uses WHERE limit_id = :limit_id;

-- name: claim_preparations
-- Differs: one writer at a time, so no row locks.
SELECT message_id, customer_id, attempts FROM preparations WHERE due_at <= :now AND customer_id NOT IN (
    SELECT customer_id FROM preparations WHERE holder = :holder AND holder <> '' GROUP BY customer_id HAVING COUNT(*) >= :share
)
ORDER BY due_at LIMIT :count;

-- name: preparation_for_change
-- Differs: one writer at a time, so no row locks.
SELECT message_id, attempts FROM preparations WHERE message_id = :message_id;

-- name: lock_inbound_parts
-- Differs: one writer at a time.
SELECT :carrier_id || :source || :destination AS key;
