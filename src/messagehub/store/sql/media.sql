-- Media at our edge: what customers have uploaded, short links, and the keys that sign addresses.

-- keys ----------------------------------------------------------------------------------

-- name: media_keys
SELECT * FROM media_keys ORDER BY tm_signs, id;

-- name: insert_media_key
-- Where two nodes make the same key at once, that of the first stays.
INSERT INTO media_keys (id, secret, tm_create, tm_signs) VALUES (:id, :secret, :tm_create, :tm_signs)
ON CONFLICT DO NOTHING;

-- name: seal_media_key
UPDATE media_keys SET secret = :secret WHERE id = :id;

-- name: delete_media_key
DELETE FROM media_keys WHERE id = :id;

-- links ---------------------------------------------------------------------------------

-- name: insert_media_link
INSERT INTO media_links (code, tm_expire, digest) VALUES (:code, :tm_expire, :digest);

-- name: media_link
SELECT digest, tm_expire FROM media_links WHERE code = :code;

-- name: old_media_links
SELECT code, tm_expire FROM media_links WHERE tm_expire < :tm_before ORDER BY tm_expire LIMIT :count;

-- name: remove_media_link
DELETE FROM media_links WHERE code = :code;

-- uploads -------------------------------------------------------------------------------

-- name: insert_upload
INSERT INTO uploads (id, customer_id, digest, type, size, name, tm_create)
VALUES (:id, :customer_id, :digest, :type, :size, :name, :tm_create);

-- name: upload_by_id
SELECT * FROM uploads WHERE id = :id;

-- name: uploads_page
SELECT * FROM uploads WHERE customer_id = :customer_id AND id < :before ORDER BY id DESC LIMIT :count;

-- name: old_uploads
SELECT id, digest FROM uploads WHERE id > :behind AND id < :before ORDER BY id LIMIT :count;

-- name: remove_upload
DELETE FROM uploads WHERE id = :id;
