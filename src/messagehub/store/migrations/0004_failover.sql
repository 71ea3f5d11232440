-- Where a target was before another carrier got it, and which node has which carrier bound.

ALTER TABLE targets ADD COLUMN tried TEXT NOT NULL DEFAULT '';

-- A row for each node that has tried: 1 while the carrier can be sent to from there.
CREATE TABLE carrier_health (
    carrier_id TEXT NOT NULL,
    node_id TEXT NOT NULL,
    bound BIGINT NOT NULL CHECK (bound IN (0, 1)),
    PRIMARY KEY (carrier_id, node_id)
) WITHOUT ROWID;
