-- One row, replaced again and again: which batch was begun last, and whether it was finished. A batch that was not is mended before
-- another one begins.
CREATE TABLE IF NOT EXISTS batches
(
    slot     UInt8   DEFAULT 0                                 COMMENT 'Always 0: the table has one row.',
    step     UInt64                                            COMMENT 'Twice the number of the batch, plus one once it is finished.',
    batch    UInt64  ALIAS intDiv(step, 2)                     COMMENT 'Number of the last batch.',
    finished UInt8   ALIAS step % 2                            COMMENT '1: the batch was written completely.'
)
ENGINE = ReplacingMergeTree(step)
ORDER BY slot
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Progress of the loader: the last batch that it began. Read it with FINAL.';
