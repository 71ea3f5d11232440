-- name: insert_trace
INSERT INTO traces (id, message_id, n, body) VALUES (:id, :message_id, :n, :body);

-- name: traces_of_message
SELECT n, body FROM traces WHERE message_id = :message_id AND n >= :first AND n < :end ORDER BY n, id;

-- name: old_traces
-- The id tells the age.
SELECT id FROM traces WHERE id > :behind AND id < :before ORDER BY id LIMIT :count;

-- name: remove_trace
DELETE FROM traces WHERE id = :id;

-- name: message_of_anybody
SELECT * FROM messages WHERE id = :id AND tm_delete = 253370764800000000;

-- name: carriers_traced
SELECT id FROM carriers WHERE trace = 'all';
