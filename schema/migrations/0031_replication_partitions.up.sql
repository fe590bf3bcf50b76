-- Partitions come, go and are emptied beside the log: what of a table was copied is known by the files of its partitions. Before, one
-- number stood for all of them, which told that something had changed and not what.
ALTER TABLE replication_tables
    ADD COLUMN IF NOT EXISTS partitions Array(UInt32) COMMENT 'Identifiers (oid) of the tables that held the rows: the table itself, or its partitions.' AFTER file_node,
    ADD COLUMN IF NOT EXISTS files Array(UInt32) COMMENT 'File of each of them (relfilenode); another one means that it was emptied or rewritten.' AFTER partitions,
    ADD COLUMN IF NOT EXISTS is_shared UInt8 COMMENT '1: several rows may give one record, and the copy has found out which ones do.' AFTER files,
    DROP COLUMN IF EXISTS file_node;
