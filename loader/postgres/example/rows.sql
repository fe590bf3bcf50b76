-- A month of three users' conversations, so that there is something to see at once.

INSERT INTO organization_membership (id, organization_id, user_id, public_metadata)
SELECT 'membership_' || n, 'org_1', 'user_' || n, jsonb_build_object('team', CASE WHEN n < 3 THEN 'red' ELSE 'blue' END)
FROM generate_series(1, 3) AS n;

INSERT INTO conversation (id, organization_id, user_id, agent_id, created_at)
SELECT 'conversation_' || n, 'org_1', 'user_' || 1 + n % 3, 'agent_' || 1 + n % 2, now() - n * interval '7 hours'
FROM generate_series(1, 100) AS n;

-- A question and an answer each, of which every fourth searched and every tenth was found helpful.
INSERT INTO message (id, conversation_id, role, parts, created_at)
SELECT 'question_' || n, 'conversation_' || n, 'user', '[{"type": "text", "text": "How do I do that?"}]', now() - n * interval '7 hours'
FROM generate_series(1, 100) AS n;

INSERT INTO message (id, conversation_id, role, parts, usage, feedback, created_at)
SELECT 'answer_' || n, 'conversation_' || n, 'assistant',
    CASE WHEN n % 4 = 0 THEN '[{"type": "tool-search", "state": "output-available"}]'::jsonb ELSE '[]' END || '[{"type": "text", "text": "Like this."}]',
    jsonb_build_object('inputTokens', 400 + n, 'outputTokens', 20 + n % 50),
    CASE WHEN n % 10 = 0 THEN '"helpful"'::jsonb END,
    now() - n * interval '7 hours' + interval '5 seconds'
FROM generate_series(1, 100) AS n;

INSERT INTO knowledge_base_file (id, organization_id, knowledge_base_id, processing_status, processed_at, extract_input_tokens, extract_output_tokens)
SELECT 'file_' || n, 'org_1', 'knowledge_base_' || 1 + n % 2, CASE WHEN n = 6 THEN 'pending' ELSE 'completed' END, now() - n * interval '3 days', 5000 + n, 10 * n
FROM generate_series(1, 6) AS n;
