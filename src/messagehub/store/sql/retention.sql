-- What is too old. Ids tell their age, so all of it is found along primary keys.

-- name: oldest_message
SELECT MIN(id) AS id FROM messages;

-- messages ------------------------------------------------------------------------------

-- name: old_messages
SELECT id, customer_id, target_count FROM messages WHERE id > :behind AND id < :before ORDER BY id LIMIT :count;

-- name: unsettled_target_of
-- Or one that came to its end lately, as a message does that was to wait for long.
SELECT message_id FROM targets
WHERE message_id = :id AND (due_at IS NOT NULL OR (tm_update >= :since AND tm_update < 253370764800000000)) LIMIT 1;

-- name: events_of_message
SELECT events.id, events.message_id, events.due_at
FROM event_bodies JOIN events ON events.customer_id = :customer_id AND events.id = event_bodies.event_id
WHERE event_bodies.message_id = :id;

-- name: remove_targets_of
-- One that is due again meanwhile stays, and is missed in the count.
DELETE FROM targets WHERE message_id = :id AND due_at IS NULL;

-- name: remove_message
DELETE FROM messages WHERE id = :id;

-- name: remove_traces_of
DELETE FROM traces WHERE message_id = :id;

-- events --------------------------------------------------------------------------------

-- name: next_customer_with_events
SELECT MIN(customer_id) AS customer_id FROM events WHERE customer_id > :behind;

-- name: old_events
SELECT customer_id, id FROM events
WHERE customer_id = :customer_id AND id > :behind AND id < :before ORDER BY id LIMIT :count;

-- name: remove_event
DELETE FROM events WHERE customer_id = :customer_id AND id = :id AND due_at IS NULL RETURNING id, message_id;

-- name: remove_event_body
DELETE FROM event_bodies WHERE message_id = :message_id AND event_id = :id;

-- name: remove_event_attempts
DELETE FROM event_attempts WHERE event_id = :id;

-- segments ------------------------------------------------------------------------------

-- name: segments_behind
SELECT carrier_id, carrier_message_id, message_id, n, part FROM segments
WHERE (carrier_id, carrier_message_id, message_id, n, part)
    > (:carrier_id, :carrier_message_id, :message_id, :n, :part)
ORDER BY carrier_id, carrier_message_id, message_id, n, part LIMIT :count;

-- name: target_at_rest_since
SELECT message_id, n, due_at, tm_update FROM targets WHERE message_id = :message_id AND n = :n;

-- name: remove_segment
DELETE FROM segments
WHERE carrier_id = :carrier_id AND carrier_message_id = :carrier_message_id AND message_id = :message_id
    AND n = :n AND part = :part;

-- name: old_activeflows
-- Those that run stay, however old they are.
SELECT id FROM activeflows WHERE id > :behind AND id < :before AND status = 'ended' AND due_at IS NULL
ORDER BY id LIMIT :count;

-- name: remove_activeflow
DELETE FROM activeflows WHERE id = :id;
