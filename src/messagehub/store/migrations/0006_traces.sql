-- What was seen of targets on their way, and whose targets are traced all of them.

-- A row is written when a target is settled, and one more for what comes later. `body` is packed: see
-- messages/recorder.py.
CREATE TABLE traces (
    id TEXT PRIMARY KEY,
    message_id TEXT NOT NULL,
    n BIGINT NOT NULL,
    body BLOB NOT NULL
) WITHOUT ROWID;

CREATE INDEX traces_target ON traces (message_id, n, id);

ALTER TABLE customers ADD COLUMN trace TEXT NOT NULL DEFAULT 'default' CHECK (trace IN ('default', 'all'));
ALTER TABLE carriers ADD COLUMN trace TEXT NOT NULL DEFAULT 'default' CHECK (trace IN ('default', 'all'));
