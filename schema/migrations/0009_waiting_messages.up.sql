-- Messages that wait stand in the table messages under the empty organization, so that the arrival of their conversation moves them
-- in one atomic block. This is how a person sees them.
CREATE VIEW IF NOT EXISTS waiting_messages
(
    id              String                COMMENT 'Message id.',
    conversation_id String                COMMENT 'Conversation that is not known yet.',
    created_at      DateTime64(3, 'UTC')  COMMENT 'When the message was created.',
    updated_at      DateTime64(3, 'UTC')  COMMENT 'Version of the record at its source.'
)
AS SELECT id, conversation_id, created_at, updated_at
FROM
(
    SELECT id, conversation_id, created_at, updated_at, deleted_at
    FROM messages
    WHERE org_id = ''
    ORDER BY created_at, id, version DESC
    LIMIT 1 BY created_at, id
)
WHERE conversation_id != '' AND deleted_at IS NULL
COMMENT 'Messages whose conversation is not known yet: they count as soon as it is.';
