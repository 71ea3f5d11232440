-- name: sender_rules
SELECT * FROM sender_rules ORDER BY country, customer_id;

-- name: keep_sender_rule
INSERT INTO sender_rules (country, customer_id, alphanumeric) VALUES (:country, :customer_id, :alphanumeric)
ON CONFLICT (country, customer_id) DO UPDATE SET alphanumeric = excluded.alphanumeric;

-- name: drop_sender_rule
DELETE FROM sender_rules WHERE country = :country AND customer_id = :customer_id;

-- name: drop_sender_rules_of
DELETE FROM sender_rules WHERE customer_id = :customer_id;
