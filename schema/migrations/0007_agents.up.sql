-- Sorted as users are.
CREATE TABLE IF NOT EXISTS agents
(
    org_id   LowCardinality(String)                            COMMENT 'Organization.',
    agent_id String                                            COMMENT 'Agent.',
    agent_no UInt32                                            COMMENT 'Dense number of the agent within the organization, from 1, in order of appearance.'
)
ENGINE = ReplacingMergeTree
ORDER BY (org_id, agent_id)
SETTINGS index_granularity = 1024, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Dense numbers of the agents that ever had a conversation in an organization.';
