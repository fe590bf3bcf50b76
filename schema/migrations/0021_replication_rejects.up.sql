-- Sorted by the row that is wrong, so that a later version of it meets the complaint and takes it back.
CREATE TABLE IF NOT EXISTS replication_rejects
(
    table_name   String                          COMMENT 'Table of the source, with its schema.',
    source_key   String                          COMMENT 'Key of the row there.',
    record_type  LowCardinality(String)          COMMENT 'Record that the row should give.',
    field        String                          COMMENT 'Field of the record that is wrong; empty: the row as a whole.',
    reason       String                          COMMENT 'What is wrong with it.',
    log_position UInt64                          COMMENT 'Place of the version in the log of the source.',
    rejected_at  DateTime64(3, 'UTC')            COMMENT 'When it was rejected.',
    step         UInt64                          COMMENT 'Rises with every write; FINAL keeps the greatest.',
    is_resolved  UInt8                           COMMENT '1: FINAL hides the row, because a later version was right, or the row was deleted.'
)
ENGINE = ReplacingMergeTree(step, is_resolved)
ORDER BY (table_name, source_key)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Rows of a source whose last version is no record: the figures have the version before, if there was one. Read it with FINAL.';
