-- The platform's own tables, as the default mapping of `orgstats replicate` expects them. There are no foreign keys: a message may
-- be there before its conversation, and waits for it.

CREATE TABLE conversation (
    id              text PRIMARY KEY,
    organization_id text,
    user_id         text,
    agent_id        text,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz,
    deleted_at      timestamptz
);

CREATE TABLE message (
    id               text PRIMARY KEY,
    conversation_id  text,
    role             text,
    parts            jsonb,
    tool_invocations jsonb,
    usage            jsonb,
    feedback         jsonb,
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz,
    deleted_at       timestamptz
);

CREATE INDEX ON message (conversation_id);

CREATE TABLE knowledge_base_file (
    id                    text PRIMARY KEY,
    organization_id       text,
    knowledge_base_id     text,
    processing_status     text,
    processed_at          timestamptz,
    extract_input_tokens  bigint,
    extract_output_tokens bigint,
    extract_total_tokens  bigint,
    created_at            timestamptz NOT NULL DEFAULT now(),
    updated_at            timestamptz,
    deleted_at            timestamptz
);

CREATE TABLE organization_membership (
    id              text PRIMARY KEY,
    organization_id text,
    user_id         text,
    public_metadata jsonb,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz,
    deleted_at      timestamptz,
    UNIQUE (organization_id, user_id)
);
