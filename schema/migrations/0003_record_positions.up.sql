-- Where a message or file has ever been in its table, so that an id that comes again finds the row to replace. Sorted by a hash of
-- the id: eight bytes in place of a text, and equally good at skipping. An entry is written before the row that it leads to, and
-- is never removed: one that leads nowhere is harmless, a missing one would count a record twice. Small granules, because a
-- look-up reads a granule for each id.
CREATE TABLE IF NOT EXISTS record_positions
(
    kind    Enum8('message' = 1, 'kb_file' = 2)                COMMENT 'Table of the record: messages or kb_files.',
    id_hash UInt64                                             COMMENT 'xxHash64 of the record''s id.',
    org_id  LowCardinality(String)                             COMMENT 'Organization in the sorting key of the row.',
    at      DateTime64(3, 'UTC')                               COMMENT 'Time in the sorting key of the row: created_at of a message, processed_at of a file.'
)
ENGINE = ReplacingMergeTree
ORDER BY (kind, id_hash, org_id, at)
SETTINGS index_granularity = 512, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Index from a record id to the sorting keys under which the record was ever stored; for the loader.';
