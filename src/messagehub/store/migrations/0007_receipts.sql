-- What a carrier makes of its ids between response and receipt, as its traffic taught: a rule of smpp/receipt_ids.py.
ALTER TABLE carriers ADD COLUMN receipt_id_learnt TEXT NOT NULL DEFAULT '';
