ALTER TABLE replication_tables
    ADD COLUMN IF NOT EXISTS file_node UInt32 COMMENT 'File of the table when its parts were laid out; another one means that its rows moved.' AFTER snapshot,
    DROP COLUMN IF EXISTS partitions,
    DROP COLUMN IF EXISTS files,
    DROP COLUMN IF EXISTS is_shared;
