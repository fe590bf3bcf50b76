ALTER TABLE kb_files DROP COLUMN IF EXISTS log_position;
