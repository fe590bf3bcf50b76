-- Sorted as messages are, for the same reason: the files of a window are one range of the key. Granules are as large as usual, because
-- windows of any size are read whole from here.
CREATE TABLE IF NOT EXISTS kb_files
(
    org_id            LowCardinality(String)                   COMMENT 'Organization that the file belongs to.',
    processed_at      DateTime64(3, 'UTC')                     COMMENT 'When the file was processed, or created where no processing time is known; it counts in the windows that hold this instant.',
    id                String                                   COMMENT 'File id.',
    knowledge_base_id String                                   COMMENT 'Knowledge base of the file; empty: the file moved away from this key.',
    processing_status LowCardinality(String)                   COMMENT 'Processing status; only completed, or none given (empty), counts.',
    input_tokens      UInt32                                   COMMENT 'Input tokens of the extraction.',
    output_tokens     UInt32                                   COMMENT 'Output tokens of the extraction.',
    total_tokens      UInt32                                   COMMENT 'Total tokens of the extraction as reported, or the sum of the two where no total was.',
    created_at        DateTime64(3, 'UTC')                     COMMENT 'When the file was created.',
    updated_at        DateTime64(3, 'UTC')                     COMMENT 'Version of the record at its source: the greatest wins.',
    deleted_at        Nullable(DateTime64(3, 'UTC'))           COMMENT 'When the file was deleted; NULL: it was not.',
    version           UInt64                                   COMMENT 'Number of the batch that wrote the row; FINAL keeps the greatest.',
    is_deleted        UInt8                                    COMMENT '1: FINAL hides the row: the file is deleted or moved away from this key.'
)
ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY (org_id, processed_at, id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Replica of the knowledge-base files, one row each. Read it with FINAL.';
