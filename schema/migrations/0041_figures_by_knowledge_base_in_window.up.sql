-- What getBreakdown answers about knowledge bases, in all rows. The ends are those of figures_in_window.
CREATE VIEW IF NOT EXISTS figures_by_knowledge_base_in_window
SQL SECURITY INVOKER
AS WITH
    parseDateTime64BestEffort({from:String}, 3, 'UTC') + toIntervalMillisecond(match({from:String}, '\\.[0-9]{3}[0-9]*[1-9]')) AS first,
    parseDateTime64BestEffort({to:String}, 3, 'UTC')                                                                           AS last
SELECT
    knowledge_base_id,
    count()                     AS kb_file_count,
    sum(kb_files.total_tokens)  AS kb_extract_total_tokens,
    sum(kb_files.input_tokens)  AS kb_extract_input_tokens,
    sum(kb_files.output_tokens) AS kb_extract_output_tokens
FROM kb_files FINAL
WHERE org_id = {org_id:String}
  AND processed_at BETWEEN first AND last
  AND processing_status IN ('', 'completed')
GROUP BY knowledge_base_id
COMMENT 'The figures of processed files in a window, both ends inclusive, by knowledge base: figures_by_knowledge_base_in_window(org_id = ''org_1'', from = ''2026-01-01T00:00:00Z'', to = ''2026-01-31T23:59:59.999Z'').';
