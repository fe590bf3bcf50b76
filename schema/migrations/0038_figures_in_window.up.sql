-- What getStats answers to an admin who asks for the whole organisation, in the same order. The ends are text, so that they can be written
-- as in a request, RFC 3339 with a zone; a text without one is in UTC, and an impossible date is an error. They are read finer than
-- records are kept, so that a message counts exactly when its millisecond lies between them. ClickHouse keeps no columns of
-- a view with parameters, and no comments on them: docs/sql.md has them.
CREATE VIEW IF NOT EXISTS figures_in_window
SQL SECURITY INVOKER
AS SELECT *
FROM
(
    SELECT
        toUInt64(groupBitmap(conversation_no))           AS conversation_count,
        count()                                          AS message_count,
        sum(messages.tool_calls)                         AS tool_calls,
        sum(messages.total_tokens)                       AS total_tokens,
        sum(messages.input_tokens)                       AS input_tokens,
        sum(messages.output_tokens)                      AS output_tokens,
        toUInt64(groupBitmap(user_no))                   AS unique_users,
        toUInt64(groupBitmapIf(agent_no, agent_no != 0)) AS unique_agents,
        total_helpful + total_not_helpful                AS total_feedback,
        sum(helpful)                                     AS total_helpful,
        sum(not_helpful)                                 AS total_not_helpful
    FROM messages FINAL
    WHERE org_id = {org_id:String}
      AND created_at BETWEEN parseDateTime64BestEffort({from:String}, 6, 'UTC') AND parseDateTime64BestEffort({to:String}, 6, 'UTC')
) AS figures_of_messages
CROSS JOIN
(
    SELECT
        count()                      AS kb_file_count,
        uniqExact(knowledge_base_id) AS kb_count,
        sum(kb_files.total_tokens)   AS kb_extract_total_tokens,
        sum(kb_files.input_tokens)   AS kb_extract_input_tokens,
        sum(kb_files.output_tokens)  AS kb_extract_output_tokens
    FROM kb_files FINAL
    WHERE org_id = {org_id:String}
      AND processed_at BETWEEN parseDateTime64BestEffort({from:String}, 6, 'UTC') AND parseDateTime64BestEffort({to:String}, 6, 'UTC')
      AND processing_status IN ('', 'completed')
) AS figures_of_files
COMMENT 'The 16 figures of an organisation in a window, both ends inclusive: figures_in_window(org_id = ''org_1'', from = ''2026-01-01T00:00:00Z'', to = ''2026-01-31T23:59:59.999Z'').';
