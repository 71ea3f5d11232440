-- People: opt-outs and their ledger, consents, contacts.

-- name: insert_opt_out
-- Before anything is said of it: what its first event says comes with `update_opt_out`.
INSERT INTO opt_outs (customer_id, address, scope, id, status, source, tm_said, tm_create, tm_update)
VALUES (:customer_id, :address, :scope, :id, 'opted_in', '', 0, :now, :now) ON CONFLICT DO NOTHING;

-- name: update_opt_out
UPDATE opt_outs SET status = :status, source = :source, tm_said = :tm_said, tm_update = :now WHERE id = :opt_out_id;

-- name: insert_opt_out_event
INSERT INTO opt_out_events (opt_out_id, id, status, source, message_id, words, actor, tm_said, tm_create)
VALUES (:opt_out_id, :id, :status, :source, :message_id, :words, :actor, :tm_said, :now);

-- name: opt_outs_of
-- What may stop a message to an address.
SELECT customer_id, address, scope, status FROM opt_outs
WHERE customer_id = :customer_id AND address = :address AND status != 'opted_in';

-- name: customer_with_opt_outs
-- In an order, so that PostgreSQL goes by the key also where it takes every row for one of this customer.
SELECT customer_id FROM opt_outs WHERE customer_id = :customer_id ORDER BY address, scope LIMIT 1;

-- name: opt_outs_in_force
SELECT address, scope, status FROM opt_outs
WHERE customer_id = :customer_id AND status = :status ORDER BY id LIMIT :count;

-- name: opt_outs_changed
SELECT customer_id, address, scope, status FROM opt_outs WHERE tm_update >= :since ORDER BY tm_update LIMIT :count;

-- name: opt_out_by_id
SELECT * FROM opt_outs WHERE id = :id;

-- name: opt_outs_page
SELECT * FROM opt_outs
WHERE customer_id = :customer_id AND status = :status AND id < :before ORDER BY id DESC LIMIT :count;

-- name: opt_outs_page_of_scope
SELECT * FROM opt_outs
WHERE customer_id = :customer_id AND scope = :scope AND status = :status AND id < :before
ORDER BY id DESC LIMIT :count;

-- name: opt_outs_at
SELECT * FROM opt_outs WHERE customer_id = :customer_id AND address = :address AND id < :before;

-- name: opt_outs_behind
-- With the message that said what counts, where one did.
SELECT address, scope, status, tm_said, source, COALESCE((
    SELECT message_id FROM opt_out_events AS said
    WHERE said.opt_out_id = opt_outs.id AND said.tm_said = opt_outs.tm_said AND said.source = opt_outs.source
    ORDER BY said.id DESC LIMIT 1), '') AS message_id
FROM opt_outs
WHERE customer_id = :customer_id AND (address, scope) > (:address, :scope)
ORDER BY address, scope LIMIT :count;

-- name: history_of_opt_out
SELECT * FROM opt_out_events WHERE opt_out_id = :opt_out_id ORDER BY id DESC LIMIT :count;

-- name: note_notice
-- Returned where fewer than three still count. Each counts from `now` to `tm_again`, one after the other; `tm_again` of the
-- row is when the last of them counts no more.
INSERT INTO notices (customer_id, number, address, kind, tm_create, tm_again)
VALUES (:customer_id, :number, :address, :kind, :now, :tm_again)
ON CONFLICT (customer_id, number, address, kind) DO UPDATE SET tm_create = excluded.tm_create,
    tm_again = excluded.tm_again
        + CASE WHEN notices.tm_again > excluded.tm_create THEN notices.tm_again - excluded.tm_create ELSE 0 END
WHERE notices.tm_again <= excluded.tm_create + 2 * (excluded.tm_again - excluded.tm_create) RETURNING kind;

-- name: old_notices
SELECT customer_id, number, address, kind, tm_again FROM notices
WHERE tm_again <= :now ORDER BY tm_again LIMIT :count;

-- name: remove_notice
DELETE FROM notices
WHERE customer_id = :customer_id AND number = :number AND address = :address AND kind = :kind
    AND tm_again = :tm_again;

-- consents ------------------------------------------------------------------------------

-- name: insert_consent
INSERT INTO consents (customer_id, address, id, scope, method, words, evidence, ip, actor, tm_given, tm_create,
    tm_withdraw, withdrawn_by, withdrawn_words)
VALUES (:customer_id, :address, :id, :scope, :method, :words, :evidence, :ip, :actor, :tm_given, :tm_create,
    :tm_withdraw, :withdrawn_by, :withdrawn_words);

-- name: consents_of
SELECT customer_id, address, scope FROM consents
WHERE customer_id = :customer_id AND address = :address AND tm_given <= :now AND tm_withdraw > :now;

-- name: consent_by_id
SELECT * FROM consents WHERE id = :id;

-- name: consents_page
SELECT * FROM consents WHERE customer_id = :customer_id AND id < :before ORDER BY id DESC LIMIT :count;

-- name: consents_page_at
SELECT * FROM consents
WHERE customer_id = :customer_id AND address = :address AND id < :before ORDER BY id DESC LIMIT :count;

-- name: withdraw_consent
UPDATE consents SET tm_withdraw = :now, withdrawn_by = :withdrawn_by, withdrawn_words = :withdrawn_words
WHERE id = :id AND tm_withdraw = 253370764800000000;

-- contacts ------------------------------------------------------------------------------

-- name: keep_contact
INSERT INTO contacts (customer_id, address, id, time_zone, tm_create, tm_update)
VALUES (:customer_id, :address, :id, :time_zone, :tm_create, :tm_update)
ON CONFLICT (customer_id, address) DO UPDATE SET time_zone = excluded.time_zone, tm_update = excluded.tm_create;

-- name: contact_at
SELECT * FROM contacts WHERE customer_id = :customer_id AND address = :address;

-- name: contact_by_id
SELECT * FROM contacts WHERE id = :id;

-- name: contacts_page
SELECT * FROM contacts WHERE customer_id = :customer_id AND id < :before ORDER BY id DESC LIMIT :count;

-- name: remove_contact
DELETE FROM contacts WHERE id = :id;
