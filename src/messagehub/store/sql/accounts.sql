-- name: insert_customer
INSERT INTO customers (id, role, name, detail, email, phone_number, address, webhook_uri, webhook_method,
    webhook_events, webhook_statuses, webhook_secret, webhook_secret_old, tm_webhook_secret_old, webhook_disabled,
    webhook_error, tm_webhook_failing, tm_webhook_recovered, on_doubt, tm_create, tm_update, tm_delete)
VALUES (:id, :role, :name, :detail, :email, :phone_number, :address, :webhook_uri, :webhook_method,
    :webhook_events, :webhook_statuses, :webhook_secret, :webhook_secret_old, :tm_webhook_secret_old,
    :webhook_disabled, :webhook_error, :tm_webhook_failing, :tm_webhook_recovered, :on_doubt, :tm_create, :tm_update,
    :tm_delete);

-- name: update_customer
UPDATE customers SET name = :name, detail = :detail, email = :email, phone_number = :phone_number, address = :address,
    webhook_uri = :webhook_uri, webhook_method = :webhook_method, webhook_events = :webhook_events,
    webhook_statuses = :webhook_statuses, webhook_disabled = :webhook_disabled, webhook_error = :webhook_error,
    tm_webhook_failing = :tm_webhook_failing, tm_webhook_recovered = :tm_webhook_recovered, on_doubt = :on_doubt,
    tm_update = :tm_update
WHERE id = :id;

-- name: rotate_webhook_secret
UPDATE customers SET webhook_secret = :webhook_secret, webhook_secret_old = :webhook_secret_old,
    tm_webhook_secret_old = :tm_webhook_secret_old, tm_update = :tm_update
WHERE id = :id;

-- name: customers_to_seal
-- What is sealed under the key in use begins with its mark.
SELECT * FROM customers
WHERE webhook_secret < :mark OR webhook_secret > :behind
    OR (webhook_secret_old != '' AND (webhook_secret_old < :mark OR webhook_secret_old > :behind))
ORDER BY id LIMIT :count;

-- name: seal_customer
UPDATE customers SET webhook_secret = :webhook_secret, webhook_secret_old = :webhook_secret_old WHERE id = :id;

-- name: disable_webhook
-- The address is repeated, so that one that was changed meanwhile is not disabled for its forerunner's answer.
UPDATE customers SET webhook_disabled = :why, tm_update = :now
WHERE id = :id AND webhook_uri = :webhook_uri;

-- name: customer_by_id
SELECT * FROM customers WHERE id = :id;

-- name: customers_page
SELECT * FROM customers WHERE id < :before AND tm_delete = 253370764800000000 ORDER BY id DESC LIMIT :count;

-- name: operator
SELECT * FROM customers WHERE role = 'operator' ORDER BY id LIMIT 1;

-- name: insert_login
INSERT INTO logins (username, customer_id, password_hash, tm_create)
VALUES (:username, :customer_id, :password_hash, :tm_create);

-- name: insert_accesskey
INSERT INTO accesskeys (id, customer_id, hash, prefix, name, tm_expire, tm_create, tm_delete)
VALUES (:id, :customer_id, :hash, :prefix, :name, :tm_expire, :tm_create, :tm_delete);

-- name: accesskey_by_hash
SELECT accesskeys.customer_id, customers.role, accesskeys.tm_expire
FROM accesskeys JOIN customers ON customers.id = accesskeys.customer_id
WHERE accesskeys.hash = :hash AND accesskeys.tm_delete = 253370764800000000
    AND customers.tm_delete = 253370764800000000;
