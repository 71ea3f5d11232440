-- compatible from: 10
-- Messages whose media are still to be fetched, checked and kept. A row is removed when its targets may go, or have
-- failed. See messages/media.py.

-- `holder`: the node that is at it; empty: nobody. `due_at`: when it is next to be done, by whom it is.
CREATE TABLE preparations (
    message_id TEXT PRIMARY KEY,
    customer_id TEXT NOT NULL,
    due_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    holder TEXT NOT NULL
) WITHOUT ROWID;

CREATE INDEX preparations_due ON preparations (due_at, customer_id);
CREATE INDEX preparations_held ON preparations (holder) WHERE holder <> '';
