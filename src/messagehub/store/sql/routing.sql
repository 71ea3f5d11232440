-- name: insert_carrier
INSERT INTO carriers (id, name, type, config, disabled, trace, tm_create, tm_update, tm_delete)
VALUES (:id, :name, :type, :config, :disabled, :trace, :tm_create, :tm_update, :tm_delete);

-- name: carrier_by_id
SELECT * FROM carriers WHERE id = :id AND tm_delete = 253370764800000000;

-- name: carriers_page
SELECT * FROM carriers WHERE id < :before AND tm_delete = 253370764800000000 ORDER BY id DESC LIMIT :count;

-- name: live_carriers
SELECT * FROM carriers WHERE tm_delete = 253370764800000000 ORDER BY id;

-- name: every_carrier
-- Also those that are deleted: what they accepted may still wait for its receipt.
SELECT id, disabled, tm_delete FROM carriers;

-- name: update_carrier
UPDATE carriers SET name = :name, config = :config, disabled = :disabled, trace = :trace, tm_update = :tm_update
WHERE id = :id;

-- name: receipt_terms
-- Also of one that is deleted: its receipts go on coming.
SELECT type, config, receipt_id_learnt FROM carriers WHERE id = :id;

-- name: learn_receipt_id
UPDATE carriers SET receipt_id_learnt = :receipt_id_learnt WHERE id = :id;

-- name: delete_carrier
UPDATE carriers SET tm_delete = :now, tm_update = :now
WHERE id = :id AND tm_delete = 253370764800000000;

-- name: keep_carrier_health
INSERT INTO carrier_health (carrier_id, node_id, bound) VALUES (:carrier_id, :node_id, :bound)
ON CONFLICT (carrier_id, node_id) DO UPDATE SET bound = excluded.bound;

-- name: forget_carrier_health
DELETE FROM carrier_health WHERE carrier_id = :carrier_id AND node_id = :node_id;

-- name: tell_carrier
UPDATE carrier_health SET detail = :detail WHERE carrier_id = :carrier_id AND node_id = :node_id RETURNING carrier_id;

-- name: carrier_tellings
SELECT carrier_health.carrier_id, nodes.name, carrier_health.detail
FROM carrier_health JOIN nodes ON nodes.id = carrier_health.node_id
WHERE carrier_health.node_id != :own AND carrier_health.detail != '{}' ORDER BY nodes.id;

-- name: carriers_down
-- Those that some living node has binds of, and none can send to.
SELECT carrier_id FROM carrier_health
WHERE node_id IN (SELECT id FROM nodes WHERE tm_lease > :now)
GROUP BY carrier_id HAVING MAX(bound) = 0;

-- name: insert_route
INSERT INTO routes (id, name, prefix, carrier_id, priority, weight, customer_id, tm_create, tm_update, tm_delete)
VALUES (:id, :name, :prefix, :carrier_id, :priority, :weight, :customer_id, :tm_create, :tm_update, :tm_delete);

-- name: route_by_id
SELECT * FROM routes WHERE id = :id AND tm_delete = 253370764800000000;

-- name: routes_page
SELECT * FROM routes WHERE id < :before AND tm_delete = 253370764800000000 ORDER BY id DESC LIMIT :count;

-- name: live_routes
SELECT * FROM routes WHERE tm_delete = 253370764800000000 ORDER BY id;

-- name: update_route
UPDATE routes SET name = :name, prefix = :prefix, carrier_id = :carrier_id, priority = :priority, weight = :weight,
    customer_id = :customer_id, tm_update = :tm_update
WHERE id = :id;

-- name: delete_route
UPDATE routes SET tm_delete = :now, tm_update = :now
WHERE id = :id AND tm_delete = 253370764800000000;
