-- A node whose row is gone is dead, and what it held is anybody's. It is taken away when its lease has run out, and the
-- lock of the row decides between that and a renewal: so nothing is held by two.

-- name: keep_lease
INSERT INTO nodes (id, name, works, tm_lease) VALUES (:id, :name, :works, :tm_lease)
ON CONFLICT (id) DO UPDATE SET tm_lease = excluded.tm_lease;

-- name: drop_lease
DELETE FROM nodes WHERE id = :id;

-- name: drop_all_leases
DELETE FROM nodes;

-- name: drop_old_leases
DELETE FROM nodes WHERE tm_lease < :tm_before AND id <> :own;

-- name: nodes_at_work
SELECT id, name FROM nodes WHERE works = 1 ORDER BY id;

-- name: forget_health_of_dead
DELETE FROM carrier_health WHERE node_id NOT IN (SELECT id FROM nodes);

-- name: bind_slots
-- A slot of a node that is dead is free.
SELECT bind_slots.carrier_id, bind_slots.slot, bind_slots.node_id
FROM bind_slots JOIN nodes ON nodes.id = bind_slots.node_id ORDER BY bind_slots.carrier_id, bind_slots.slot;

-- name: take_slot
-- By a node that lives, from none or from one that does not.
INSERT INTO bind_slots (carrier_id, slot, node_id) VALUES (:carrier_id, :slot, :node_id)
ON CONFLICT (carrier_id, slot) DO UPDATE SET node_id = excluded.node_id
WHERE bind_slots.node_id NOT IN (SELECT id FROM nodes)
RETURNING carrier_id, slot;

-- name: release_slot
DELETE FROM bind_slots WHERE carrier_id = :carrier_id AND slot = :slot AND node_id = :node_id;

-- name: release_slots
DELETE FROM bind_slots WHERE node_id = :node_id;

-- name: duty
SELECT duties.node_id FROM duties JOIN nodes ON nodes.id = duties.node_id WHERE duties.name = :name;

-- name: take_duty
INSERT INTO duties (name, node_id) VALUES (:name, :node_id)
ON CONFLICT (name) DO UPDATE SET node_id = excluded.node_id WHERE duties.node_id NOT IN (SELECT id FROM nodes)
RETURNING node_id;

-- name: release_duties
DELETE FROM duties WHERE node_id = :node_id;
