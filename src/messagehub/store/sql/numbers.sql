-- name: insert_number
INSERT INTO numbers (id, customer_id, number, name, detail, message_flow_id, registered_in, sender_group,
    ignored_keywords, opt_out_replies, keywords, tm_create, tm_update, tm_delete)
VALUES (:id, :customer_id, :number, :name, :detail, :message_flow_id, :registered_in, :sender_group,
    :ignored_keywords, :opt_out_replies, :keywords, :tm_create, :tm_update, :tm_delete);

-- name: number_by_id
SELECT * FROM numbers WHERE id = :id AND tm_delete = 253370764800000000;

-- name: number_owner
SELECT * FROM numbers WHERE number = :number AND tm_delete = 253370764800000000;

-- name: numbers_page
SELECT * FROM numbers WHERE customer_id = :customer_id AND id < :before AND tm_delete = 253370764800000000
ORDER BY id DESC LIMIT :count;

-- name: all_numbers_page
SELECT * FROM numbers WHERE id < :before AND tm_delete = 253370764800000000 ORDER BY id DESC LIMIT :count;

-- name: update_number
UPDATE numbers SET name = :name, detail = :detail, message_flow_id = :message_flow_id,
    registered_in = :registered_in, sender_group = :sender_group,
    ignored_keywords = :ignored_keywords, opt_out_replies = :opt_out_replies, keywords = :keywords, tm_update = :tm_update
WHERE id = :id AND tm_delete = 253370764800000000;

-- name: delete_number
UPDATE numbers SET tm_delete = :now, tm_update = :now
WHERE id = :id AND tm_delete = 253370764800000000;

-- name: delete_numbers_of
UPDATE numbers SET tm_delete = :now, tm_update = :now
WHERE customer_id = :customer_id AND tm_delete = 253370764800000000;
