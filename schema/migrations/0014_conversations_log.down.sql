ALTER TABLE conversations DROP COLUMN IF EXISTS log_position;
