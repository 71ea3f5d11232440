-- name: insert_customer
INSERT INTO customers (id, role, name, detail, email, phone_number, address, webhook_uri, webhook_method,
    webhook_events, webhook_statuses, webhook_secret, webhook_secret_old, tm_webhook_secret_old, webhook_disabled,
    webhook_error, tm_webhook_failing, tm_webhook_recovered, on_doubt, trace, smart_encoding, manners,
    tm_create, tm_update, tm_delete)
VALUES (:id, :role, :name, :detail, :email, :phone_number, :address, :webhook_uri, :webhook_method,
    :webhook_events, :webhook_statuses, :webhook_secret, :webhook_secret_old, :tm_webhook_secret_old,
    :webhook_disabled, :webhook_error, :tm_webhook_failing, :tm_webhook_recovered, :on_doubt, :trace, :smart_encoding,
    :manners, :tm_create, :tm_update, :tm_delete);

-- name: update_customer
UPDATE customers SET name = :name, detail = :detail, email = :email, phone_number = :phone_number, address = :address,
    webhook_uri = :webhook_uri, webhook_method = :webhook_method, webhook_events = :webhook_events,
    webhook_statuses = :webhook_statuses, webhook_disabled = :webhook_disabled, webhook_error = :webhook_error,
    tm_webhook_failing = :tm_webhook_failing, tm_webhook_recovered = :tm_webhook_recovered, on_doubt = :on_doubt,
    trace = :trace, smart_encoding = :smart_encoding, manners = :manners, tm_update = :tm_update
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

-- name: sealed_customer
SELECT * FROM customers WHERE webhook_secret >= 'sealed:' AND webhook_secret < 'sealed;' LIMIT 1;

-- name: seal_customer
UPDATE customers SET webhook_secret = :webhook_secret, webhook_secret_old = :webhook_secret_old WHERE id = :id;

-- name: disable_webhook
-- As it was when it was asked: one that was given anew meanwhile, be it the same address, is not disabled for an answer
-- to what was asked before; nor is it disabled once for each answer that was still on its way.
UPDATE customers SET webhook_disabled = :why, tm_update = :now
WHERE id = :id AND webhook_uri = :webhook_uri AND tm_update = :tm_seen;

-- name: customer_by_id
SELECT * FROM customers WHERE id = :id;

-- name: customers_page
SELECT * FROM customers WHERE id < :before AND tm_delete = 253370764800000000 ORDER BY id DESC LIMIT :count;

-- name: operator
SELECT * FROM customers WHERE role = 'operator' ORDER BY id LIMIT 1;

-- name: delete_customer
UPDATE customers SET webhook_disabled = :why, tm_delete = :now, tm_update = :now WHERE id = :id;

-- name: drop_operator
DELETE FROM customers WHERE id = :id AND role = 'operator';

-- logins --------------------------------------------------------------------------------

-- name: insert_login
INSERT INTO logins (id, username, customer_id, password_hash, tm_password, tm_create)
VALUES (:id, :username, :customer_id, :password_hash, :tm_create, :tm_create);

-- name: login_by_username
SELECT logins.id, logins.username, logins.customer_id, logins.password_hash, logins.tm_password, logins.tm_create,
    customers.role, customers.name, customers.detail
FROM logins JOIN customers ON customers.id = logins.customer_id
WHERE logins.username = :username AND customers.tm_delete = 253370764800000000;

-- name: login_of_customer
SELECT username FROM logins WHERE customer_id = :customer_id ORDER BY username LIMIT 1;

-- name: change_password
-- Its moment tells passwords apart, so no two have the same.
UPDATE logins SET password_hash = :password_hash,
    tm_password = CASE WHEN tm_password < :now THEN :now ELSE tm_password + 1 END
WHERE username = :username;

-- name: rehash_password
-- The same password, hashed anew; unless it was changed meanwhile.
UPDATE logins SET password_hash = :password_hash WHERE username = :username AND password_hash = :before;

-- name: delete_logins_of
DELETE FROM logins WHERE customer_id = :customer_id;

-- access keys ---------------------------------------------------------------------------

-- name: insert_accesskey
INSERT INTO accesskeys (id, customer_id, hash, prefix, name, detail, tm_expire, tm_last_use, tm_create, tm_update,
    tm_delete)
VALUES (:id, :customer_id, :hash, :prefix, :name, :detail, :tm_expire, :tm_last_use, :tm_create, :tm_update,
    :tm_delete);

-- name: drop_accesskeys_of
DELETE FROM accesskeys WHERE customer_id = :customer_id;

-- name: accesskey_by_hash
SELECT accesskeys.id, accesskeys.customer_id, customers.role, accesskeys.tm_expire
FROM accesskeys JOIN customers ON customers.id = accesskeys.customer_id
WHERE accesskeys.hash = :hash AND accesskeys.tm_delete = 253370764800000000
    AND customers.tm_delete = 253370764800000000;

-- name: accesskey_by_id
SELECT * FROM accesskeys WHERE id = :id AND tm_delete = 253370764800000000;

-- name: accesskeys_page
SELECT * FROM accesskeys
WHERE customer_id = :customer_id AND id < :before AND prefix >= :lowest AND prefix <= :highest
    AND tm_delete = 253370764800000000
ORDER BY id DESC LIMIT :count;

-- name: all_accesskeys_page
SELECT * FROM accesskeys
WHERE id < :before AND prefix >= :lowest AND prefix <= :highest AND tm_delete = 253370764800000000
ORDER BY id DESC LIMIT :count;

-- name: update_accesskey
UPDATE accesskeys SET name = :name, detail = :detail, tm_expire = :tm_expire, tm_update = :tm_update
WHERE id = :id AND tm_delete = 253370764800000000;

-- name: revoke_accesskey
UPDATE accesskeys SET tm_delete = :now, tm_update = :now WHERE id = :id AND tm_delete = 253370764800000000;

-- name: revoke_accesskeys_of
UPDATE accesskeys SET tm_delete = :now, tm_update = :now
WHERE customer_id = :customer_id AND tm_delete = 253370764800000000;

-- name: note_last_use
-- Another node may have seen it later.
UPDATE accesskeys SET tm_last_use = :now
WHERE id = :id AND (tm_last_use < :now OR tm_last_use = 253370764800000000);

-- the keys that sign tokens -------------------------------------------------------------

-- name: token_keys
SELECT * FROM token_keys ORDER BY tm_create, id;

-- name: insert_token_key
-- Of two nodes that make the next one at the same moment one does.
INSERT INTO token_keys (id, secret, tm_create) VALUES (:id, :secret, :tm_create) ON CONFLICT DO NOTHING;

-- name: seal_token_key
UPDATE token_keys SET secret = :secret WHERE id = :id;

-- name: delete_token_key
DELETE FROM token_keys WHERE id = :id;
