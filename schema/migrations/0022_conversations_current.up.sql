-- Plain rows for people who query: no versions, no FINAL, no numbers of the loader. The invoker's rights and row policies count, so that
-- who may see one organization sees no other through the view.
CREATE VIEW IF NOT EXISTS conversations_current
(
    id         String                  COMMENT 'Conversation id.',
    org_id     LowCardinality(String)  COMMENT 'Organization that the conversation belongs to.',
    user_id    String                  COMMENT 'User that the conversation belongs to.',
    agent_id   LowCardinality(String)  COMMENT 'Agent of the conversation; empty: no agent.',
    created_at DateTime64(3, 'UTC')    COMMENT 'When the conversation was created.',
    updated_at DateTime64(3, 'UTC')    COMMENT 'Version of the record at its source.'
)
SQL SECURITY INVOKER
AS SELECT id, org_id, user_id, agent_id, created_at, updated_at
FROM conversations FINAL
COMMENT 'The conversations that there are now: one row each, without those that were deleted.';
