-- What cannot be said the same way for both stores. Each of these has its twin in sqlite.sql.

-- name: clock
-- Differs: several machines share the database's clock, so that their leases agree.
SELECT (EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::bigint AS now;

-- name: renew_lease
-- Differs: likewise. Nothing where the node was taken for dead.
UPDATE nodes SET tm_lease = (EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::bigint + :lease WHERE id = :id
RETURNING id;

-- name: claim_targets
-- Differs: nodes skip the rows that others hold.
SELECT targets.message_id, targets.n, targets.customer_id, targets.destination, targets.destination_detail,
    targets.status, targets.parts, targets.carrier_id, targets.lane, targets.due_at,
    COALESCE(targets.own_source, messages.source) AS source, messages.source_detail, messages.text, messages.on_doubt, messages.target_count, messages.tm_create,
    targets.error_code, targets.error_message, targets.receipts, targets.holder, targets.attempts, targets.doubts,
    targets.retries, targets.possible_duplicate, targets.sequence, targets.tm_update, targets.tried, messages.tm_delete,
    messages.options, targets.own_source
FROM targets JOIN messages ON messages.id = targets.message_id
WHERE targets.status = 'queued' AND targets.carrier_id = :carrier_id AND targets.lane = :lane AND targets.due_at <= :now
ORDER BY targets.due_at LIMIT :count FOR UPDATE OF targets SKIP LOCKED;

-- name: targets_to_ask
-- Differs: nodes skip the rows that others hold.
SELECT targets.message_id, targets.n, targets.receipts, targets.names, targets.retries,
    COALESCE(targets.own_source, messages.source) AS source
FROM targets JOIN messages ON messages.id = targets.message_id
WHERE targets.status = 'sent' AND targets.carrier_id = :carrier_id AND targets.lane = :lane AND targets.due_at <= :now
    AND targets.names IS NOT NULL
ORDER BY targets.due_at LIMIT :count FOR UPDATE OF targets SKIP LOCKED;

-- name: target_for_change
-- Differs: a response and its receipt may be told to two nodes at once; the second waits for the first.
SELECT targets.message_id, targets.n, targets.customer_id, targets.destination, targets.destination_detail,
    targets.status, targets.parts, targets.carrier_id, targets.lane, targets.due_at,
    COALESCE(targets.own_source, messages.source) AS source, messages.source_detail, messages.text, messages.on_doubt, messages.target_count, messages.tm_create,
    targets.error_code, targets.error_message, targets.receipts, targets.holder, targets.attempts, targets.doubts,
    targets.retries, targets.possible_duplicate, targets.sequence, targets.tm_update, targets.tried, messages.tm_delete,
    messages.options, targets.own_source
FROM targets JOIN messages ON messages.id = targets.message_id
WHERE targets.message_id = :message_id AND targets.n = :n FOR UPDATE OF targets;

-- name: customer_for_change
-- Differs: a second change at the same moment waits for the first.
SELECT * FROM customers WHERE id = :id FOR UPDATE;

-- name: claim_events
-- Differs: nodes skip the rows that others hold.
SELECT events.id, events.customer_id, events.message_id,
    (SELECT LENGTH(body) FROM event_bodies WHERE event_bodies.message_id = events.message_id
        AND event_bodies.event_id = events.id) AS octets,
    events.attempts, events.attempts_before, events.due_at, events.tm_create
FROM events
WHERE events.customer_id = :customer_id AND events.due_at <= :now AND (events.due_at, events.id) > (:tm_after, :after)
ORDER BY events.due_at, events.id LIMIT :count FOR UPDATE OF events SKIP LOCKED;

-- name: events_to_drop
-- What is under way ends by itself; and what waits for another address, which was given meanwhile, is that one's.
-- Differs: a node may just be claiming them.
SELECT customer_id, id FROM events WHERE customer_id = :customer_id AND due_at IS NOT NULL AND leased = 0
    AND EXISTS (SELECT 1 FROM customers WHERE customers.id = :customer_id AND customers.webhook_disabled <> '')
ORDER BY due_at LIMIT :count FOR UPDATE OF events;

-- name: claim_untried
-- Differs: one node asks for no turns.
SELECT events.id, events.customer_id, events.message_id,
    (SELECT LENGTH(body) FROM event_bodies WHERE event_bodies.message_id = events.message_id
        AND event_bodies.event_id = events.id) AS octets,
    events.attempts, events.attempts_before, events.due_at, events.tm_create
FROM events
WHERE events.customer_id = :customer_id AND events.id = :id AND events.due_at <= :now AND events.attempts = 0
FOR UPDATE OF events SKIP LOCKED;

-- name: untried_of_message
-- Differs: one node asks for no turns.
SELECT events.customer_id, events.message_id, events.id FROM events
WHERE events.message_id = :message_id AND events.status = 'pending' AND events.attempts = 0
    AND events.customer_id = :customer_id
ORDER BY events.id LIMIT :count;

-- name: under_way_of_message
-- Differs: one node asks for no turns.
SELECT events.customer_id, events.message_id FROM events
WHERE events.message_id = :message_id AND events.status = 'pending' AND events.attempts = 0
    AND events.customer_id = :customer_id AND events.leased = 1 AND events.due_at > :now
LIMIT 1;

-- name: carrier_for_change
-- Differs: a second change at the same moment waits for the first.
SELECT * FROM carriers WHERE id = :id AND tm_delete = 253370764800000000 FOR UPDATE;

-- name: route_for_change
-- Differs: a second change at the same moment waits for the first.
SELECT * FROM routes WHERE id = :id AND tm_delete = 253370764800000000 FOR UPDATE;

-- name: number_for_change
-- Differs: a second change at the same moment waits for the first.
SELECT * FROM numbers WHERE id = :id AND tm_delete = 253370764800000000 FOR UPDATE;

-- name: accesskey_for_change
-- Differs: a second change at the same moment waits for the first.
SELECT * FROM accesskeys WHERE id = :id AND tm_delete = 253370764800000000 FOR UPDATE;

-- name: flow_for_change
-- Differs: a second change at the same moment waits for the first.
SELECT * FROM flows WHERE id = :id AND customer_id = :customer_id AND tm_delete = 253370764800000000 FOR UPDATE;

-- name: sender_pool_for_change
-- Differs: a second change at the same moment waits for the first.
SELECT * FROM sender_pools WHERE id = :id FOR UPDATE;

-- name: limit_for_change
-- Differs: a second change at the same moment waits for the first.
SELECT * FROM limits WHERE id = :id FOR UPDATE;

-- name: claim_activeflows
-- Differs: nodes skip the rows that others hold.
SELECT * FROM activeflows WHERE due_at <= :now ORDER BY due_at LIMIT :count FOR UPDATE SKIP LOCKED;

-- name: activeflow_for_change
-- Differs: a second change at the same moment waits for the first.
SELECT * FROM activeflows WHERE id = :id FOR UPDATE;

-- name: waiting_activeflow
-- Differs: it may just be given up by a node, as the reply was waited for long enough.
SELECT * FROM activeflows
WHERE person = :person AND number = :number AND is_waiting = 1 AND customer_id = :customer_id ORDER BY id DESC LIMIT 1
FOR UPDATE;

-- name: conversation_for_change
-- Differs: a second change at the same moment waits for the first.
SELECT * FROM conversations WHERE id = :id AND customer_id = :customer_id FOR UPDATE;

-- name: opt_out_for_change
-- Differs: a second change at the same moment waits for the first.
SELECT id, customer_id, address, scope, status, source, tm_said FROM opt_outs
WHERE customer_id = :customer_id AND address = :address AND scope = :scope FOR UPDATE;

-- name: limit_use_for_change
-- Differs: nodes that send at the same moment count one after the other.
SELECT * FROM limit_uses WHERE limit_id = :limit_id FOR UPDATE;

-- name: claim_preparations
-- Differs: nodes skip the rows that others hold.
SELECT message_id, customer_id, attempts FROM preparations WHERE due_at <= :now AND customer_id NOT IN (
    SELECT customer_id FROM preparations WHERE holder = :holder AND holder <> '' GROUP BY customer_id HAVING COUNT(*) >= :share
)
ORDER BY due_at LIMIT :count FOR UPDATE SKIP LOCKED;

-- name: preparation_for_change
-- Differs: it may just be given up by a node that was taken for dead.
SELECT message_id, attempts FROM preparations WHERE message_id = :message_id FOR UPDATE;

-- name: lock_inbound_parts
-- Differs: parts of one message may be told to two nodes at once, and neither would see what the other has not committed.
SELECT pg_advisory_xact_lock(hashtextextended(concat_ws('/', :carrier_id::text, :source::text, :destination::text), 0));
