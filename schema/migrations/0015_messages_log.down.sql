ALTER TABLE messages
    DROP COLUMN IF EXISTS log_position,
    DROP COLUMN IF EXISTS tool_parts,
    DROP COLUMN IF EXISTS tool_invocations;
