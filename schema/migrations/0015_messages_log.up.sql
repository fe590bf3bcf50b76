-- Beside the place in the log, what tool_calls follows from: a source sends only what changed of a row, and either of both can change
-- alone.
ALTER TABLE messages
    ADD COLUMN IF NOT EXISTS tool_invocations Int32  COMMENT 'Entries of the message''s array of tool invocations, -1: it has none; kept for records from a log only.' AFTER deleted_at,
    ADD COLUMN IF NOT EXISTS tool_parts       Int32  COMMENT 'Parts of the message that are tool calls, which count where it has no array of invocations, -1: the parts are no array; kept for records from a log only.' AFTER tool_invocations,
    ADD COLUMN IF NOT EXISTS log_position     UInt64 COMMENT 'Place of the version in the log of the source, which goes before updated_at: the greatest wins; 0: the record came from a file.' AFTER tool_parts;
