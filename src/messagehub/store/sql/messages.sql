-- name: insert_message
INSERT INTO messages (id, customer_id, direction, source, source_detail, destination, text, octets, options,
    on_doubt, target_count, waiting_count, sent_count, delivered_count, sequence, tm_create, tm_update, tm_delete)
VALUES (:id, :customer_id, :direction, :source, :source_detail, :destination, :text, :octets, :options,
    :on_doubt, :target_count, :waiting_count, :sent_count, :delivered_count, :sequence, :tm_create, :tm_update, :tm_delete);

-- name: insert_target
INSERT INTO targets (message_id, n, customer_id, destination, destination_detail, status, error_code, error_message,
    parts, receipts, carrier_id, lane, due_at, holder, attempts, doubts, possible_duplicate, sequence, tm_update, own_source)
VALUES (:message_id, :n, :customer_id, :destination, :destination_detail, :status, :error_code, :error_message,
    :parts, :receipts, :carrier_id, :lane, :due_at, :holder, :attempts, :doubts, :possible_duplicate, :sequence,
    :tm_update, :own_source);

-- name: insert_event
INSERT INTO events (customer_id, id, message_id, type, status, attempts, attempts_before, due_at, leased,
    response_status, error, tm_create, tm_update)
VALUES (:customer_id, :id, :message_id, :type, 'pending', 0, 0, :due_at, :leased, 0, '', :tm_create, :tm_create);

-- name: events_untried
-- Those among messages with an event whose first attempt is still to come. One by one, by its key: a plan that was made
-- for an empty table would join the other way round.
SELECT messages.id AS message_id FROM messages
WHERE messages.id = :message_id AND 0 < (
    SELECT COUNT(*) FROM event_bodies AS told
    WHERE told.message_id = messages.id AND 0 < (
        SELECT COUNT(*) FROM events
        WHERE events.customer_id = :customer_id AND events.id = told.event_id
            AND events.status = 'pending' AND events.attempts = 0));

-- name: insert_event_body
INSERT INTO event_bodies (event_id, message_id, body) VALUES (:id, :message_id, :body);

-- reading -------------------------------------------------------------------------------

-- name: message_by_id
SELECT * FROM messages WHERE id = :id AND customer_id = :customer_id AND tm_delete = 253370764800000000;

-- name: messages_page
SELECT * FROM messages
WHERE customer_id = :customer_id AND direction = :direction AND id < :before AND id >= :after
    AND tm_delete = 253370764800000000
ORDER BY id DESC LIMIT :count;

-- name: messages_page_by_source
SELECT * FROM messages
WHERE customer_id = :customer_id AND source = :source AND direction = :direction AND id < :before AND id >= :after
    AND tm_delete = 253370764800000000
ORDER BY id DESC LIMIT :count;

-- name: messages_page_by_destination
SELECT messages.* FROM targets JOIN messages ON messages.id = targets.message_id
WHERE targets.customer_id = :customer_id AND targets.destination = :destination
    AND targets.message_id < :before AND targets.message_id >= :after
    AND messages.direction = :direction AND messages.tm_delete = 253370764800000000
ORDER BY targets.message_id DESC LIMIT :count;

-- name: messages_page_by_source_and_destination
SELECT messages.* FROM targets JOIN messages ON messages.id = targets.message_id
WHERE targets.customer_id = :customer_id AND targets.destination = :destination
    AND targets.message_id < :before AND targets.message_id >= :after
    AND messages.direction = :direction AND messages.source = :source
    AND messages.tm_delete = 253370764800000000
ORDER BY targets.message_id DESC LIMIT :count;

-- name: messages_page_by_destination_both_ways
SELECT messages.* FROM targets JOIN messages ON messages.id = targets.message_id
WHERE targets.customer_id = :customer_id AND targets.destination = :destination
    AND targets.message_id < :before AND targets.message_id >= :after AND messages.tm_delete = 253370764800000000
ORDER BY targets.message_id DESC LIMIT :count;

-- name: messages_page_by_source_and_destination_both_ways
SELECT messages.* FROM targets JOIN messages ON messages.id = targets.message_id
WHERE targets.customer_id = :customer_id AND targets.destination = :destination
    AND targets.message_id < :before AND targets.message_id >= :after
    AND messages.source = :source AND messages.tm_delete = 253370764800000000
ORDER BY targets.message_id DESC LIMIT :count;

-- name: targets_of_message
SELECT * FROM targets WHERE message_id = :message_id AND n >= :first AND n < :end ORDER BY n;

-- changing ------------------------------------------------------------------------------

-- name: hand_target
UPDATE targets SET status = 'handed', due_at = :due_at, holder = :holder, parts = :parts, receipts = '',
    names = NULL, attempts = :attempts, error_code = '', error_message = ''
WHERE message_id = :message_id AND n = :n AND status = 'queued';

-- name: move_target
-- What it was is repeated: when somebody was quicker, nothing changes and nothing is told.
UPDATE targets SET status = :status, error_code = :error_code, error_message = :error_message, parts = :parts,
    receipts = :receipts, carrier_id = :carrier_id, due_at = :due_at, holder = :holder, attempts = :attempts,
    doubts = :doubts, retries = :retries, possible_duplicate = :possible_duplicate, sequence = :sequence, tm_update = :tm_update,
    tried = :tried
WHERE message_id = :message_id AND n = :n AND status = :before AND holder = :seen_holder AND sequence = :seen_sequence
    AND receipts = :seen_receipts;

-- name: count_message
UPDATE messages SET waiting_count = waiting_count + :waiting, sent_count = sent_count + :sent,
    delivered_count = delivered_count + :delivered, sequence = sequence + :steps, tm_update = :now
WHERE id = :id
RETURNING id, target_count, waiting_count, sent_count, delivered_count, sequence;

-- name: delete_message
UPDATE messages SET tm_delete = :now, tm_update = :now
WHERE id = :id AND customer_id = :customer_id AND tm_delete = 253370764800000000
RETURNING id;

-- name: void_targets
-- What nodes know of them is so no more.
UPDATE targets SET sequence = sequence + 1 WHERE message_id = :message_id;

-- name: targets_to_cancel
SELECT message_id, n FROM targets WHERE message_id = :message_id AND status = 'queued';

-- name: change_options
UPDATE messages SET options = :options, tm_update = :now WHERE id = :id;

-- name: insert_expiry
INSERT INTO expiries (message_id, due_at) VALUES (:message_id, :due_at)
ON CONFLICT (message_id) DO UPDATE SET due_at = excluded.due_at;

-- name: expiries_due
SELECT message_id FROM expiries WHERE due_at <= :now ORDER BY due_at LIMIT :count;

-- name: expiring_message
SELECT id, options, target_count, tm_create FROM messages WHERE id = :message_id;

-- name: put_off_expiry
UPDATE expiries SET due_at = :due_at WHERE message_id = :message_id;

-- name: remove_expiry
DELETE FROM expiries WHERE message_id = :message_id;

-- name: targets_held
SELECT message_id, n FROM targets WHERE message_id = :message_id AND status = 'gw_timeout' AND error_code = 'in_doubt';

-- name: targets_without_receipt
-- What its carrier can still be asked about waits a little longer.
SELECT message_id, n FROM targets
WHERE status = 'sent' AND carrier_id = :carrier_id AND lane = :lane AND due_at <= :now
    AND (names IS NULL OR due_at <= :overdue)
ORDER BY due_at LIMIT :count;

-- name: keep_names
UPDATE targets SET names = :names WHERE message_id = :message_id AND n = :n;

-- name: ask_target
UPDATE targets SET names = NULL, due_at = :due_at WHERE message_id = :message_id AND n = :n AND status = 'sent';

-- name: targets_queued_for
-- Behind the one that was looked at last.
SELECT message_id, n, due_at FROM targets
WHERE status = 'queued' AND carrier_id = :carrier_id AND lane = :lane
    AND due_at >= :due_at AND (due_at, message_id, n) > (:due_at, :message_id, :n)
ORDER BY due_at, message_id, n LIMIT :count;

-- name: targets_queued_of
SELECT message_id, n FROM targets
WHERE status = 'queued' AND carrier_id = :carrier_id AND due_at IS NOT NULL AND customer_id = :customer_id
LIMIT :count;

-- name: targets_of_dead_nodes
SELECT message_id, n, holder FROM targets
WHERE status = 'handed' AND due_at IS NOT NULL AND holder != :own
    AND holder NOT IN (SELECT id FROM nodes WHERE tm_lease > :now)
LIMIT :count;

-- name: targets_set_back
-- What was due before the clock was set back, and what is tried again soon; but not what was never tried and is to
-- wait for its hour.
SELECT message_id, n FROM targets
WHERE status = 'queued' AND due_at > :now AND (due_at <= :tm_before OR (attempts > 0 AND due_at <= :tm_latest))
LIMIT :count;

-- name: bring_target_forward
-- By as much as the clock was set back, which keeps their order.
UPDATE targets SET due_at = CASE WHEN due_at - :step < :now THEN due_at - :step ELSE :now END
WHERE message_id = :message_id AND n = :n AND status = 'queued';

-- name: targets_in_doubt
-- Of nodes that live no more.
SELECT COUNT(*) AS count FROM (SELECT n FROM targets
    WHERE status = 'handed' AND due_at IS NOT NULL AND holder NOT IN (SELECT id FROM nodes WHERE tm_lease > :now)
    LIMIT :count) AS found;

-- name: targets_due
-- As of one moment, and the moment since which the oldest is due. Both are read from the index.
SELECT (SELECT COUNT(*) FROM (SELECT due_at FROM targets
        WHERE status = 'queued' AND carrier_id = :carrier_id AND lane = :lane AND due_at <= :now LIMIT :count) AS found)
        AS count,
    (SELECT MIN(due_at) FROM targets
        WHERE status = 'queued' AND carrier_id = :carrier_id AND lane = :lane AND due_at <= :now) AS oldest;

-- name: lane_due
-- The lane, where something of it is due.
SELECT lane FROM targets
WHERE status = 'queued' AND carrier_id = :carrier_id AND lane = :lane AND due_at <= :now LIMIT 1;

-- name: targets_handed_long_ago
SELECT message_id, n, carrier_id FROM targets
WHERE status = 'handed' AND due_at IS NOT NULL AND holder = :own AND due_at <= :tm_before LIMIT :count;

-- segments and receipts -----------------------------------------------------------------

-- name: insert_segment
-- A carrier that uses an id twice for the same segment tells nothing new.
INSERT INTO segments (carrier_id, carrier_message_id, message_id, n, part, retry)
VALUES (:carrier_id, :carrier_message_id, :message_id, :n, :part, :retry) ON CONFLICT DO NOTHING;

-- name: segments_by_name
-- Carriers use ids again after a while; the newest message is the one that is meant.
SELECT segments.carrier_message_id, segments.message_id, segments.n, segments.part, segments.retry, targets.destination
FROM segments JOIN targets ON targets.message_id = segments.message_id AND targets.n = segments.n
WHERE segments.carrier_id = :carrier_id AND segments.carrier_message_id = :carrier_message_id
ORDER BY segments.message_id DESC LIMIT 8;

-- name: park_receipt
INSERT INTO parked_receipts (id, carrier_id, carrier_message_id, body, sweeps, due_at, tm_create)
VALUES (:id, :carrier_id, :carrier_message_id, :body, 0, :due_at, :tm_create);

-- name: parked_by_name
SELECT id, carrier_id, carrier_message_id, body, sweeps, tm_create FROM parked_receipts
WHERE carrier_id = :carrier_id AND carrier_message_id = :carrier_message_id ORDER BY id;

-- name: parked_any
-- The order is that of an index, so that nobody thinks of walking the table until one is met.
SELECT id FROM parked_receipts WHERE carrier_id = :carrier_id ORDER BY carrier_message_id LIMIT 1;

-- name: parked_page
SELECT id, carrier_message_id, body, sweeps, due_at, tm_create FROM parked_receipts
WHERE carrier_id = :carrier_id AND id < :before AND id >= :after ORDER BY id DESC LIMIT :count;

-- name: parked_page_by_name
SELECT id, carrier_message_id, body, sweeps, due_at, tm_create FROM parked_receipts
WHERE carrier_id = :carrier_id AND carrier_message_id = :carrier_message_id AND id < :before AND id >= :after
ORDER BY id DESC LIMIT :count;

-- name: parked_due
SELECT id, carrier_id, carrier_message_id, body, sweeps, tm_create FROM parked_receipts
WHERE due_at <= :now ORDER BY due_at LIMIT :count;

-- name: parked_set_back
SELECT id FROM parked_receipts WHERE due_at > :now AND due_at <= :tm_latest LIMIT :count;

-- name: bring_parked_forward
UPDATE parked_receipts SET due_at = CASE WHEN due_at - :step < :now THEN due_at - :step ELSE :now END WHERE id = :id;

-- name: parked_given_up
SELECT id FROM parked_receipts WHERE carrier_id = :carrier_id AND due_at IS NULL ORDER BY id DESC LIMIT :count;

-- name: park_anew
UPDATE parked_receipts SET due_at = :now WHERE id = :id AND due_at IS NULL;

-- name: park_longer
UPDATE parked_receipts SET sweeps = :sweeps, due_at = :due_at WHERE id = :id;

-- name: unpark
DELETE FROM parked_receipts WHERE id = :id;

-- name: old_parked
SELECT id FROM parked_receipts WHERE due_at IS NULL AND tm_create < :tm_before ORDER BY tm_create LIMIT :count;

-- inbound -------------------------------------------------------------------------------

-- name: insert_inbound_part
INSERT INTO inbound_parts (carrier_id, source, destination, reference, width, total, part, text, octets,
    data_coding, udhi, alphabet, tm_create)
VALUES (:carrier_id, :source, :destination, :reference, :width, :total, :part, :text, :octets, :data_coding, :udhi,
    :alphabet, :tm_create)
ON CONFLICT DO NOTHING;

-- name: inbound_parts_of
SELECT part, text, octets, data_coding, udhi, alphabet FROM inbound_parts
WHERE carrier_id = :carrier_id AND source = :source AND destination = :destination AND reference = :reference
    AND width = :width AND total = :total
ORDER BY part;

-- name: delete_inbound_parts
DELETE FROM inbound_parts
WHERE carrier_id = :carrier_id AND source = :source AND destination = :destination AND reference = :reference
    AND width = :width AND total = :total;

-- name: stale_inbound_parts
SELECT carrier_id, source, destination, reference, width, total FROM inbound_parts
WHERE tm_create < :tm_before ORDER BY tm_create LIMIT :count;

-- name: inbound_seen
SELECT fingerprint, node_id, session, late, tm_create,
    (SELECT COUNT(*) FROM nodes WHERE nodes.id = inbound_seen.node_id AND tm_lease > :now) AS node_lives
FROM inbound_seen WHERE carrier_id = :carrier_id AND fingerprint = :fingerprint;

-- name: keep_inbound_seen
INSERT INTO inbound_seen (carrier_id, fingerprint, node_id, session, late, tm_create)
VALUES (:carrier_id, :fingerprint, :node_id, :session, :late, :tm_create)
ON CONFLICT (carrier_id, fingerprint) DO UPDATE SET node_id = excluded.node_id, session = excluded.session,
    late = excluded.late, tm_create = excluded.tm_create;

-- name: mark_inbound_named
-- No row where it is marked already. Of these tm_create is the time up to which they count: three days from now.
INSERT INTO inbound_seen (carrier_id, fingerprint, node_id, session, late, tm_create)
VALUES (:carrier_id, :fingerprint, '', '', 1, :tm_create)
ON CONFLICT (carrier_id, fingerprint) DO UPDATE SET tm_create = excluded.tm_create
WHERE inbound_seen.tm_create < excluded.tm_create - 259200000000
RETURNING fingerprint;

-- name: old_inbound_seen
SELECT carrier_id, fingerprint FROM inbound_seen WHERE tm_create < :tm_before ORDER BY tm_create LIMIT :count;

-- name: remove_inbound_seen
DELETE FROM inbound_seen WHERE carrier_id = :carrier_id AND fingerprint = :fingerprint;

-- name: forget_inbound_seen_here
-- What was parted from in order has had all our answers.
DELETE FROM inbound_seen WHERE node_id = :node_id AND carrier_id = :carrier_id;
