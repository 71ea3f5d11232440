-- Bodies of events stand in the order of their making, apart from the key by which they are found.

-- With a key of its own as its order, SQLite keeps no more than three bodies on a page and gives each that is over some
-- 900 octets a page to itself. By message and event at once, one index answers for both.
ALTER TABLE event_bodies RENAME TO event_bodies_before;

CREATE TABLE event_bodies (
    event_id TEXT NOT NULL,
    message_id TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (message_id, event_id)
);

INSERT INTO event_bodies (event_id, message_id, body)
SELECT event_id, message_id, body FROM event_bodies_before ORDER BY event_id;

DROP TABLE event_bodies_before;
