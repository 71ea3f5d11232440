-- Parts are read together once all are there, from the octets that came.
ALTER TABLE inbound_parts ADD COLUMN data_coding BIGINT NOT NULL DEFAULT 0;
ALTER TABLE inbound_parts ADD COLUMN udhi BIGINT NOT NULL DEFAULT 0;
ALTER TABLE inbound_parts ADD COLUMN alphabet TEXT NOT NULL DEFAULT '';

-- What came in within the last minutes, by which a carrier's repetition is told from a person's.
CREATE TABLE inbound_seen (
    carrier_id TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    node_id TEXT NOT NULL,
    session TEXT NOT NULL,
    late BIGINT NOT NULL CHECK (late IN (0, 1)),
    tm_create BIGINT NOT NULL,
    PRIMARY KEY (carrier_id, fingerprint)
) WITHOUT ROWID;

CREATE INDEX inbound_seen_age ON inbound_seen (tm_create);

CREATE INDEX parked_receipts_carrier ON parked_receipts (carrier_id, id);
