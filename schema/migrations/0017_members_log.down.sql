ALTER TABLE members
    DROP INDEX IF EXISTS by_source_key,
    DROP COLUMN IF EXISTS source_key,
    DROP COLUMN IF EXISTS log_position;
