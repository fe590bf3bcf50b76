-- Files in every state of processing: which of them count in the figures is said in processing_status.
CREATE VIEW IF NOT EXISTS kb_files_current
(
    id                String                  COMMENT 'File id.',
    org_id            LowCardinality(String)  COMMENT 'Organization that the file belongs to.',
    knowledge_base_id String                  COMMENT 'Knowledge base of the file.',
    processing_status LowCardinality(String)  COMMENT 'Processing status; in the figures only completed, or none given (empty), counts.',
    processed_at      DateTime64(3, 'UTC')    COMMENT 'When the file was processed, or created where no processing time is known; it counts in the windows that hold this instant.',
    created_at        DateTime64(3, 'UTC')    COMMENT 'When the file was created.',
    updated_at        DateTime64(3, 'UTC')    COMMENT 'Version of the record at its source.',
    input_tokens      UInt32                  COMMENT 'Input tokens of the extraction.',
    output_tokens     UInt32                  COMMENT 'Output tokens of the extraction.',
    total_tokens      UInt32                  COMMENT 'Total tokens of the extraction as reported, or the sum of the two where no total was.'
)
SQL SECURITY INVOKER
AS SELECT
    id, org_id, knowledge_base_id, processing_status, processed_at, created_at, updated_at, input_tokens, output_tokens, total_tokens
FROM kb_files FINAL
COMMENT 'The knowledge-base files that there are now: one row each, without those that were deleted.';
