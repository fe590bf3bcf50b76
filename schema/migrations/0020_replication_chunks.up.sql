-- Sorted by place in the table, which is the order of copying.
CREATE TABLE IF NOT EXISTS replication_chunks
(
    slot         String                          COMMENT 'Replication slot in PostgreSQL.',
    table_name   String                          COMMENT 'Table of the source, with its schema.',
    part_name    String                          COMMENT 'Table or partition that holds the rows.',
    first_page   UInt32                          COMMENT 'First page of the chunk.',
    end_page     UInt32                          COMMENT 'First page after the chunk; 0: it goes to the end of the table.',
    floor        UInt64                          COMMENT 'Floor of the copy (replication_tables) that the chunk belongs to; a chunk of another copy means nothing.',
    copied       UInt64                          COMMENT 'Rows of the chunk.',
    step         UInt64                          COMMENT 'Rises with every write; FINAL keeps the greatest.',
    is_done      UInt8                           COMMENT '1: the rows of the chunk are in the replicas.'
)
ENGINE = ReplacingMergeTree(step)
ORDER BY (slot, table_name, part_name, first_page)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Chunks that tables are copied in, so that a copy goes on where it was cut off. Read it with FINAL.';
