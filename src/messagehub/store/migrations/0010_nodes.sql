-- Several nodes: what each is, what each holds, and what each sees of its carriers.

ALTER TABLE nodes ADD COLUMN name TEXT NOT NULL DEFAULT '';
ALTER TABLE nodes ADD COLUMN works BIGINT NOT NULL DEFAULT 1 CHECK (works IN (0, 1));

-- One row for each bind that some node has, or had when it died. Which bind of the carrier's config it is.
CREATE TABLE bind_slots (
    carrier_id TEXT NOT NULL,
    slot BIGINT NOT NULL,
    node_id TEXT NOT NULL,
    PRIMARY KEY (carrier_id, slot)
) WITHOUT ROWID;

-- What one node does for all.
CREATE TABLE duties (
    name TEXT PRIMARY KEY,
    node_id TEXT NOT NULL
) WITHOUT ROWID;

-- JSON: the binds that the node has, and the rest of what it says of the carrier.
ALTER TABLE carrier_health ADD COLUMN detail TEXT NOT NULL DEFAULT '{}';
