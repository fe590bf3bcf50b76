-- What getStats answers to an admin who asks for the whole organization, in the same order. The ends are text, so that they can be written
-- as in a request, RFC 3339 with a zone; one without is in UTC, and an impossible date is an error. As there, digits finer than
-- milliseconds round inwards: the first end up, the last one down. ClickHouse keeps neither columns nor comments on them of
-- a view with parameters: docs/sql.md has them.
CREATE VIEW IF NOT EXISTS figures_in_window
SQL SECURITY INVOKER
AS WITH
    parseDateTime64BestEffort({from:String}, 3, 'UTC') + toIntervalMillisecond(match({from:String}, '\\.[0-9]{3}[0-9]*[1-9]')) AS first,
    parseDateTime64BestEffort({to:String}, 3, 'UTC')                                                                           AS last
SELECT *
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
      AND created_at BETWEEN first AND last
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
      AND processed_at BETWEEN first AND last
      AND processing_status IN ('', 'completed')
) AS figures_of_files
COMMENT 'The 16 figures of an organization in a window, both ends inclusive: figures_in_window(org_id = ''org_1'', from = ''2026-01-01T00:00:00Z'', to = ''2026-01-31T23:59:59.999Z'').';
