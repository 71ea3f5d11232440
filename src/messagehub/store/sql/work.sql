-- name: keep_lease
INSERT INTO nodes (id, tm_lease) VALUES (:id, :tm_lease)
ON CONFLICT (id) DO UPDATE SET tm_lease = excluded.tm_lease;

-- name: forget_health_of_dead
DELETE FROM carrier_health WHERE node_id NOT IN (SELECT id FROM nodes);

-- name: drop_lease
DELETE FROM nodes WHERE id = :id;

-- name: drop_all_leases
DELETE FROM nodes;

-- name: drop_old_leases
DELETE FROM nodes WHERE tm_lease < :tm_before;
