-- Messages that wait for their media.

-- name: insert_preparation
INSERT INTO preparations (message_id, customer_id, due_at, attempts, holder)
VALUES (:message_id, :customer_id, :due_at, 0, '');

-- name: preparation_due
-- Of a customer of whom this node has not enough in hand already.
SELECT message_id FROM preparations WHERE due_at <= :now AND customer_id NOT IN (
    SELECT customer_id FROM preparations WHERE holder = :holder AND holder <> '' GROUP BY customer_id HAVING COUNT(*) >= :share
)
ORDER BY due_at LIMIT 1;

-- name: preparations_of_dead
SELECT message_id, holder FROM preparations
WHERE holder <> '' AND holder NOT IN (SELECT id FROM nodes WHERE tm_lease > :now) LIMIT :count;

-- name: preparations_held
SELECT message_id, holder FROM preparations WHERE holder = :holder AND holder <> '';

-- name: free_preparation
UPDATE preparations SET due_at = :due_at, holder = '' WHERE message_id = :message_id AND holder = :holder;

-- name: leave_preparations
-- Those that a node has not come to the end of, though it ends in order.
UPDATE preparations SET due_at = :now, holder = '', attempts = attempts - 1
WHERE holder = :holder AND holder <> '';

-- name: take_preparation
UPDATE preparations SET due_at = :due_at, holder = :holder, attempts = :attempts WHERE message_id = :message_id;

-- name: put_off_preparation
UPDATE preparations SET due_at = :due_at, holder = '', attempts = :attempts
WHERE message_id = :message_id AND attempts = :seen;

-- name: remove_preparation
DELETE FROM preparations WHERE message_id = :message_id;

-- name: preparations_set_back
SELECT message_id FROM preparations
WHERE holder = '' AND due_at > :now AND due_at <= :tm_latest LIMIT :count;

-- name: bring_preparation_forward
UPDATE preparations SET due_at = CASE WHEN due_at - :step < :now THEN due_at - :step ELSE :now END
WHERE message_id = :message_id AND holder = '';

-- name: change_detail
UPDATE targets SET destination_detail = :destination_detail WHERE message_id = :message_id AND n = :n AND status = 'queued';
