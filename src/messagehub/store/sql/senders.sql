-- name: sender_rules
SELECT * FROM sender_rules ORDER BY country, customer_id;

-- name: keep_sender_rule
INSERT INTO sender_rules (country, customer_id, alphanumeric) VALUES (:country, :customer_id, :alphanumeric)
ON CONFLICT (country, customer_id) DO UPDATE SET alphanumeric = excluded.alphanumeric;

-- name: drop_sender_rule
DELETE FROM sender_rules WHERE country = :country AND customer_id = :customer_id;

-- name: drop_sender_rules_of
DELETE FROM sender_rules WHERE customer_id = :customer_id;

-- name: insert_sender_pool
INSERT INTO sender_pools (id, customer_id, name, numbers, sticky, prefer_country, tm_create, tm_update)
VALUES (:id, :customer_id, :name, :numbers, :sticky, :prefer_country, :tm_create, :tm_update);

-- name: sender_pool_by_id
SELECT * FROM sender_pools WHERE id = :id;

-- name: sender_pool_by_name
SELECT * FROM sender_pools WHERE customer_id = :customer_id AND name = :name;

-- name: sender_pools_page
SELECT * FROM sender_pools WHERE id < :before ORDER BY id DESC LIMIT :count;

-- name: sender_pools_page_of
SELECT * FROM sender_pools WHERE customer_id = :customer_id AND id < :before ORDER BY id DESC LIMIT :count;

-- name: update_sender_pool
UPDATE sender_pools SET name = :name, numbers = :numbers, sticky = :sticky, prefer_country = :prefer_country,
    tm_update = :tm_update
WHERE id = :id;

-- name: delete_sender_pool
DELETE FROM sender_pools WHERE id = :id;

-- name: delete_sender_pools_of
DELETE FROM sender_pools WHERE customer_id = :customer_id;

-- name: last_written_to
-- Which number somebody wrote to last.
SELECT source AS person, destination AS number FROM messages
WHERE customer_id = :customer_id AND source = :source AND direction = 'inbound' AND tm_delete = 253370764800000000
ORDER BY id DESC LIMIT 1;

-- name: fates_of_source
-- How the last ones went that a number sent.
SELECT messages.source AS number, targets.status, targets.error_code
FROM messages JOIN targets ON targets.message_id = messages.id
WHERE messages.customer_id = :customer_id AND messages.source = :source AND messages.direction = 'outbound'
    AND messages.id >= :since_id
ORDER BY messages.id DESC LIMIT :count;

-- name: fates_of_own_source
-- Likewise, where a pool chose it for one of several targets.
SELECT own_source AS number, status, error_code FROM targets
WHERE customer_id = :customer_id AND own_source = :source AND own_source IS NOT NULL AND message_id >= :since_id
ORDER BY message_id DESC LIMIT :count;
