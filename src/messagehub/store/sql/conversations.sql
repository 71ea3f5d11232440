-- Threads, and the messages of one.

-- name: open_conversation
INSERT INTO conversations (id, customer_id, own, peer, owner_type, owner_id, name, detail, unread_count, last_id,
    tm_last_message, tm_create, tm_update)
VALUES (:id, :customer_id, :own, :peer, :owner_type, :owner_id, :name, :detail, :unread_count, :last_id,
    :tm_last_message, :tm_create, :tm_update)
ON CONFLICT DO NOTHING;

-- name: hear_conversation
INSERT INTO conversations (id, customer_id, own, peer, owner_type, owner_id, name, detail, unread_count, last_id,
    tm_last_message, tm_create, tm_update)
VALUES (:id, :customer_id, :own, :peer, :owner_type, :owner_id, :name, :detail, :unread_count, :last_id,
    :tm_last_message, :tm_create, :tm_update)
ON CONFLICT (id) DO UPDATE SET unread_count = conversations.unread_count + excluded.unread_count,
    tm_last_message = CASE WHEN excluded.last_id > conversations.last_id
        THEN excluded.tm_last_message ELSE conversations.tm_last_message END,
    last_id = CASE WHEN excluded.last_id > conversations.last_id
        THEN excluded.last_id ELSE conversations.last_id END;

-- name: join_conversation
-- One that is not there is not opened by it. Of several in one commit, some milliseconds apart, any one will do.
UPDATE conversations SET last_id = :last_id, tm_last_message = :tm_last_message
WHERE id = :id AND last_id < :last_id;

-- name: change_conversation
UPDATE conversations SET owner_type = :owner_type, owner_id = :owner_id, name = :name, detail = :detail,
    tm_update = :tm_update
WHERE id = :id;

-- name: read_conversation
UPDATE conversations SET unread_count = :unread_count WHERE id = :id;

-- name: put_back_conversation
UPDATE conversations SET last_id = :last_id, tm_last_message = :tm_last_message WHERE id = :id;

-- reading -------------------------------------------------------------------------------

-- name: any_conversation
-- The order is that of an index, so that nobody thinks of walking the table until one is met.
SELECT id FROM conversations WHERE customer_id = :customer_id ORDER BY last_id DESC LIMIT 1;

-- name: conversation_by_id
SELECT * FROM conversations WHERE id = :id AND customer_id = :customer_id;

-- name: conversation_by_last
SELECT id FROM conversations WHERE customer_id = :customer_id AND last_id = :last_id ORDER BY last_id DESC LIMIT 1;

-- name: conversations_page
SELECT * FROM conversations WHERE customer_id = :customer_id AND last_id < :before ORDER BY last_id DESC LIMIT :count;

-- name: conversations_page_of_number
SELECT * FROM conversations
WHERE customer_id = :customer_id AND last_id < :before AND last_id >= :after AND own = :own
ORDER BY last_id DESC LIMIT :count;

-- name: conversations_floor
-- How far back a look at so many threads reaches, where few of them may be the ones that are looked for.
SELECT MIN(last_id) AS id, COUNT(*) AS seen FROM (
    SELECT last_id FROM conversations WHERE customer_id = :customer_id AND last_id < :before
    ORDER BY last_id DESC LIMIT :count) AS newest;

-- name: conversations_page_with
-- Joined to itself, as deliveries_page_failed is: else SQLite's planner walks all threads of the customer in their order.
SELECT conversations.* FROM conversations AS theirs JOIN conversations ON conversations.id = theirs.id
WHERE theirs.customer_id = :customer_id AND theirs.peer = :peer AND conversations.last_id < :before
ORDER BY conversations.last_id DESC LIMIT :count;

-- messages ------------------------------------------------------------------------------

-- name: messages_sent_in
-- Of a message from a pool each target has the number that it was sent from.
SELECT messages.id, messages.direction, COALESCE(targets.own_source, messages.source) AS source,
    messages.source_detail, messages.text, messages.options, messages.tm_create,
    targets.destination, targets.destination_detail, targets.status, targets.tm_update
FROM targets JOIN messages ON messages.id = targets.message_id
WHERE targets.customer_id = :customer_id AND targets.destination = :peer
    AND targets.message_id < :before AND targets.message_id >= :after
    AND messages.direction = 'outbound' AND COALESCE(targets.own_source, messages.source) = :own
    AND messages.tm_delete = 253370764800000000
ORDER BY targets.message_id DESC LIMIT :count;

-- name: messages_received_in
SELECT id, direction, source, source_detail, text, options, tm_create, destination, '' AS destination_detail,
    'received' AS status, tm_create AS tm_update
FROM messages
WHERE customer_id = :customer_id AND source = :peer AND direction = 'inbound' AND id < :before AND id >= :after
    AND destination = :own AND tm_delete = 253370764800000000
ORDER BY id DESC LIMIT :count;

-- name: last_sent_in
-- Of what moves a thread: what goes to many does not.
SELECT messages.id, messages.tm_create
FROM targets JOIN messages ON messages.id = targets.message_id
WHERE targets.customer_id = :customer_id AND targets.destination = :peer
    AND targets.message_id < :before AND targets.message_id >= :after
    AND messages.direction = 'outbound' AND messages.target_count = 1 AND messages.source = :own
    AND messages.tm_delete = 253370764800000000
ORDER BY targets.message_id DESC LIMIT 1;

-- name: last_received_in
SELECT id, tm_create FROM messages
WHERE customer_id = :customer_id AND source = :peer AND direction = 'inbound' AND id < :before AND id >= :after
    AND destination = :own AND tm_delete = 253370764800000000
ORDER BY id DESC LIMIT 1;

-- name: messages_sent_floor
-- How far back a look at so many messages to somebody reaches, where few of them may be from the number in question.
SELECT MIN(message_id) AS id, COUNT(*) AS seen FROM (
    SELECT message_id FROM targets WHERE customer_id = :customer_id AND destination = :peer AND message_id < :before
    ORDER BY message_id DESC LIMIT :count) AS newest;

-- name: messages_received_floor
SELECT MIN(id) AS id, COUNT(*) AS seen FROM (
    SELECT id FROM messages
    WHERE customer_id = :customer_id AND source = :peer AND direction = 'inbound' AND id < :before
    ORDER BY id DESC LIMIT :count) AS newest;

-- name: messages_received_since
-- One more than that is as good as any.
SELECT COUNT(*) AS count FROM (
    SELECT id FROM messages
    WHERE customer_id = :customer_id AND source = :peer AND direction = 'inbound' AND id > :message_id
        AND destination = :own AND tm_delete = 253370764800000000
    LIMIT :count) AS newer;

-- what is too old -----------------------------------------------------------------------

-- name: next_customer_with_conversations
SELECT MIN(customer_id) AS customer_id FROM conversations WHERE customer_id > :behind;

-- name: old_conversations
SELECT id, customer_id, last_id FROM conversations
WHERE customer_id = :customer_id AND last_id > :behind AND last_id < :before ORDER BY last_id LIMIT :count;

-- name: remove_conversation
-- One that has a new message since it was looked at stays.
DELETE FROM conversations WHERE id = :id AND last_id = :last_id;
