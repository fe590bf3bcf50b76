-- Sorted by what names a table: the slot that it is followed through, and its own name.
CREATE TABLE IF NOT EXISTS replication_tables
(
    slot         String                          COMMENT 'Replication slot in PostgreSQL.',
    table_name   String                          COMMENT 'Table of the source, with its schema.',
    record_type  LowCardinality(String)          COMMENT 'Record that its rows give: conversation, message, kbFile or member.',
    state        Enum8('copying' = 1, 'sweeping' = 2, 'following' = 3) COMMENT 'copying: rows that were there before are being copied; sweeping: copied, and what is gone from the source is being deleted; following: complete.',
    relation     UInt32                          COMMENT 'Identifier (oid) of the table; another one means that it was made anew.',
    floor        UInt64                          COMMENT 'log_position of the first snapshot of this copy: rows of earlier versions may have missed changes.',
    snapshot     UInt64                          COMMENT 'log_position of the last snapshot that rows were copied from.',
    file_node    UInt32                          COMMENT 'File of the table when its parts were laid out; another one means that its rows moved.',
    copied       UInt64                          COMMENT 'Rows copied.',
    inserted     UInt64                          COMMENT 'Inserts followed.',
    updated      UInt64                          COMMENT 'Updates followed.',
    deleted      UInt64                          COMMENT 'Deletes followed.',
    truncated    UInt64                          COMMENT 'Truncations followed.',
    rejected     UInt64                          COMMENT 'Versions of rows that could not be records.',
    step         UInt64                          COMMENT 'Rises with every write; FINAL keeps the greatest.'
)
ENGINE = ReplacingMergeTree(step)
ORDER BY (slot, table_name)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'State and counts of each replicated table. Read it with FINAL.';
