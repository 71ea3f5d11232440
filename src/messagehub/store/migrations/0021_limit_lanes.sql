-- compatible from: 10
-- The slots of a limit by lane, see messages/meters.py: of each `lane again_at last_at passed turn_until`, with commas
-- between them. `again_at` and `last_at` of the row are the latest of them.
ALTER TABLE limit_uses ADD COLUMN lanes TEXT NOT NULL DEFAULT '';
