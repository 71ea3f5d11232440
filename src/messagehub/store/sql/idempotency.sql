-- Requests with a key of their caller's, and how they were answered.

-- name: insert_idempotency_key
INSERT INTO idempotency_keys (customer_id, key, fingerprint, body, tm_create)
VALUES (:customer_id, :key, :fingerprint, :body, :tm_create);

-- name: idempotency_key
SELECT fingerprint, body, tm_create FROM idempotency_keys WHERE customer_id = :customer_id AND key = :key;

-- name: old_idempotency_keys
SELECT customer_id, key, tm_create FROM idempotency_keys WHERE tm_create < :tm_before ORDER BY tm_create LIMIT :count;

-- name: remove_idempotency_key
-- One that was used anew since it was looked at stays.
DELETE FROM idempotency_keys WHERE customer_id = :customer_id AND key = :key AND tm_create = :tm_create;
