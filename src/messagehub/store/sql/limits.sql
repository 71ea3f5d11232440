-- name: insert_limit
INSERT INTO limits (id, scope, subject, customer_id, applies, set_by, rate, per_day, zone, tm_create, tm_update)
VALUES (:id, :scope, :subject, :customer_id, :applies, :set_by, :rate, :per_day, :zone, :tm_create, :tm_update);

-- name: insert_limit_use
INSERT INTO limit_uses (limit_id, free_at, again_at, last_at, day_ends, used, lanes)
VALUES (:limit_id, :free_at, :again_at, :last_at, :day_ends, :used, :lanes);

-- name: every_limit
SELECT * FROM limits ORDER BY id;

-- name: limit_by_id
SELECT * FROM limits WHERE id = :id;

-- name: limits_page
SELECT * FROM limits WHERE id < :before ORDER BY id DESC LIMIT :count;

-- name: limits_page_of
SELECT * FROM limits WHERE customer_id = :customer_id AND id < :before ORDER BY id DESC LIMIT :count;

-- name: update_limit
UPDATE limits SET rate = :rate, per_day = :per_day, zone = :zone, tm_update = :tm_update WHERE id = :id;

-- name: delete_limit
DELETE FROM limits WHERE id = :id;

-- name: delete_limit_use
DELETE FROM limit_uses WHERE limit_id = :id;

-- name: delete_limit_uses_of
DELETE FROM limit_uses WHERE limit_id IN (SELECT id FROM limits WHERE customer_id = :customer_id);

-- name: delete_limits_of
DELETE FROM limits WHERE customer_id = :customer_id;

-- name: delete_limit_uses_for
DELETE FROM limit_uses WHERE limit_id IN (SELECT id FROM limits WHERE scope = :scope AND subject = :subject);

-- name: delete_limits_for
DELETE FROM limits WHERE scope = :scope AND subject = :subject;

-- name: limit_use
SELECT * FROM limit_uses WHERE limit_id = :limit_id;

-- name: limits_with_slots
-- Those that have given slots which are still to come.
SELECT * FROM limit_uses WHERE last_at > :now OR again_at > :now ORDER BY limit_id;

-- name: keep_limit_use
UPDATE limit_uses SET free_at = :free_at, again_at = :again_at, last_at = :last_at, day_ends = :day_ends, used = :used,
    lanes = :lanes
WHERE limit_id = :limit_id;

-- name: targets_held_back
-- Those that wait for a reason, and are those of a limit: each bound is one of its scope, or lets all through.
SELECT targets.message_id, targets.n, targets.due_at, targets.carrier_id
FROM targets JOIN messages ON messages.id = targets.message_id
WHERE targets.status = 'queued' AND targets.error_code <> '' AND targets.error_code = :code AND targets.due_at > :tm_after
    AND targets.customer_id >= :customer_from AND targets.customer_id <= :customer_to
    AND targets.carrier_id >= :carrier_from AND targets.carrier_id <= :carrier_to
    AND targets.destination >= :destination_from AND targets.destination <= :destination_to
    AND COALESCE(targets.own_source, messages.source) >= :source_from
    AND COALESCE(targets.own_source, messages.source) <= :source_to
ORDER BY targets.due_at LIMIT :count;

-- name: targets_held_by
-- Those that wait for one limit, by what it says.
SELECT message_id, n, due_at, carrier_id, lane, error_message FROM targets
WHERE status = 'queued' AND error_code <> '' AND error_code = :code AND due_at > :tm_after AND due_at <= :tm_until
    AND lane = :lane AND error_message = :words
ORDER BY due_at LIMIT :count;

-- name: count_held_back
SELECT COUNT(*) AS count FROM (
    SELECT targets.n FROM targets JOIN messages ON messages.id = targets.message_id
    WHERE targets.status = 'queued' AND targets.error_code <> '' AND targets.error_code = :code
        AND targets.due_at > :tm_after
        AND targets.customer_id >= :customer_from AND targets.customer_id <= :customer_to
        AND targets.carrier_id >= :carrier_from AND targets.carrier_id <= :carrier_to
        AND targets.destination >= :destination_from AND targets.destination <= :destination_to
        AND COALESCE(targets.own_source, messages.source) >= :source_from
    AND COALESCE(targets.own_source, messages.source) <= :source_to
    LIMIT :count) AS found;

-- name: bring_held_forward
UPDATE targets SET due_at = :due_at
WHERE message_id = :message_id AND n = :n AND status = 'queued' AND due_at = :seen;

-- name: next_due
SELECT due_at FROM targets
WHERE status = 'queued' AND carrier_id = :carrier_id AND lane = :lane AND due_at > :now
ORDER BY due_at LIMIT 1;
