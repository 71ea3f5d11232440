-- compatible from: 6
-- What a carrier makes of its ids between response and receipt, as its traffic taught: a rule of smpp/receipt_ids.py.
ALTER TABLE carriers ADD COLUMN receipt_id_learnt TEXT NOT NULL DEFAULT '';

-- How often a target was sent again since a receipt said that it was not delivered; and of which of these a segment is.
ALTER TABLE targets ADD COLUMN retries BIGINT NOT NULL DEFAULT 0;
ALTER TABLE segments ADD COLUMN retry BIGINT NOT NULL DEFAULT 0;
