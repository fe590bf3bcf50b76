ALTER TABLE kb_files
    ADD COLUMN IF NOT EXISTS log_position UInt64 COMMENT 'Place of the version in the log of the source, which goes before updated_at: the greatest wins; 0: the record came from a file.' AFTER deleted_at;
