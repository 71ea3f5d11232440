-- compatible from: 10
-- What requests with a key of their caller's were answered, so that the same again is not done again.

-- The rows stand in the order of their making, since the keys have none and the answers are long.
CREATE TABLE idempotency_keys (
    customer_id TEXT NOT NULL,
    key TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    body BLOB NOT NULL,
    tm_create BIGINT NOT NULL,
    PRIMARY KEY (customer_id, key)
);

CREATE INDEX idempotency_keys_age ON idempotency_keys (tm_create);
