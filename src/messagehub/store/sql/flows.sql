-- name: insert_flow
INSERT INTO flows (id, customer_id, name, detail, actions, on_complete_flow_id, tm_create, tm_update, tm_delete)
VALUES (:id, :customer_id, :name, :detail, :actions, :on_complete_flow_id, :tm_create, :tm_update, :tm_delete);

-- name: flow_by_id
SELECT * FROM flows WHERE id = :id AND customer_id = :customer_id AND tm_delete = 253370764800000000;

-- name: flows_page
SELECT * FROM flows WHERE customer_id = :customer_id AND id < :before AND tm_delete = 253370764800000000
ORDER BY id DESC LIMIT :count;

-- name: update_flow
UPDATE flows SET name = :name, detail = :detail, actions = :actions, on_complete_flow_id = :on_complete_flow_id,
    tm_update = :tm_update
WHERE id = :id AND tm_delete = 253370764800000000;

-- name: delete_flow
UPDATE flows SET tm_delete = :now, tm_update = :now WHERE id = :id AND tm_delete = 253370764800000000;

-- name: number_with_flow
SELECT number FROM numbers
WHERE customer_id = :customer_id AND message_flow_id = :flow_id AND tm_delete = 253370764800000000 LIMIT 1;

-- name: numbers_with_keywords
SELECT number, keywords FROM numbers
WHERE customer_id = :customer_id AND keywords != '' AND tm_delete = 253370764800000000;

-- activeflows ----------------------------------------------------------------------------

-- name: insert_activeflow
INSERT INTO activeflows (id, customer_id, flow_id, status, reference_type, reference_id, number, person, state, version,
    due_at, leased, is_waiting, end_reason, end_detail, tm_create, tm_update, tm_delete)
VALUES (:id, :customer_id, :flow_id, :status, :reference_type, :reference_id, :number, :person, :state, :version,
    :due_at, :leased, :is_waiting, :end_reason, :end_detail, :tm_create, :tm_update, :tm_delete);

-- name: activeflow_by_id
SELECT * FROM activeflows WHERE id = :id AND customer_id = :customer_id AND tm_delete = 253370764800000000;

-- name: activeflows_page
SELECT * FROM activeflows WHERE customer_id = :customer_id AND id < :before AND tm_delete = 253370764800000000
ORDER BY id DESC LIMIT :count;

-- name: activeflows_page_running
SELECT * FROM activeflows
WHERE customer_id = :customer_id AND status = 'running' AND id < :before AND tm_delete = 253370764800000000
ORDER BY id DESC LIMIT :count;

-- name: activeflows_page_of_flow
SELECT * FROM activeflows
WHERE flow_id = :flow_id AND id < :before AND customer_id = :customer_id AND tm_delete = 253370764800000000
ORDER BY id DESC LIMIT :count;

-- name: update_activeflow
-- What it was is repeated: where another was quicker nothing is changed.
UPDATE activeflows SET status = :status, number = :number, person = :person, state = :state, version = version + 1,
    due_at = :due_at, leased = :leased, is_waiting = :is_waiting, end_reason = :end_reason, end_detail = :end_detail,
    tm_update = :tm_update, tm_delete = :tm_delete
WHERE id = :id AND version = :version;

-- name: due_activeflows
-- Without taking them.
SELECT id, customer_id, version FROM activeflows WHERE due_at <= :now ORDER BY due_at LIMIT :count;

-- name: release_activeflows
-- After a restart of the only node: what it was asking the outside for is asked again at once.
UPDATE activeflows SET due_at = :now, leased = 0 WHERE due_at > :now AND leased = 1;

-- name: activeflows_set_back
SELECT id FROM activeflows WHERE due_at > :now AND due_at <= :tm_latest AND leased = 0 LIMIT :count;

-- name: bring_activeflow_forward
UPDATE activeflows SET due_at = CASE WHEN due_at - :step < :now THEN due_at - :step ELSE :now END
WHERE id = :id AND leased = 0;

-- name: persons_waited_for
SELECT person, number FROM activeflows WHERE person = :person AND number = :number AND is_waiting = 1;

-- name: insert_flow_answers
INSERT INTO flow_answers (number, person, count, tm_begin) VALUES (:number, :person, 0, :now) ON CONFLICT DO NOTHING;

-- name: count_flow_answer
-- Where there are too many, the count begins anew only when there was silence for as long as it is counted.
UPDATE flow_answers SET count = CASE WHEN tm_begin < :since THEN 1 ELSE count + 1 END,
    tm_begin = CASE WHEN tm_begin < :since OR count >= :most THEN :now ELSE tm_begin END,
    day_count = CASE WHEN tm_day < :since_day THEN 1 ELSE day_count + 1 END,
    tm_day = CASE WHEN tm_day < :since_day THEN :now ELSE tm_day END
WHERE number = :number AND person = :person RETURNING count, day_count;

-- name: old_flow_answers
SELECT number, person FROM flow_answers WHERE tm_begin < :since ORDER BY tm_begin LIMIT :count;

-- name: forget_flow_answer
DELETE FROM flow_answers WHERE number = :number AND person = :person AND tm_begin < :since;
