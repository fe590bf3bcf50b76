ALTER TABLE replication_sources DROP COLUMN IF EXISTS caught_up_at;
