-- A user of a ClickHouse server who reads one organization and no other, within the limits of analysts. Put the user, the password and the
-- organization in place of analyst_org_1, its password and org_1, and run it as a user who manages access; it can be run again, and
-- once for every such user:
--
--   sed -e 's/analyst_org_1/acme/; s/choose a password/…/; s/org_1/org_2abc/' clickhouse/server/analyst-of-one-organization.sql |
--     docker compose exec -T clickhouse sh -c 'clickhouse client --user orgstats --password "$(cat /run/secrets/clickhouse_password)"'
--
-- The server must have analyst-limits.xml in users.d, and be of 26.3.22.6, 26.7.6.5 or later: before, the table function mergeTreeIndex
-- showed some keys of rows that policies hide.

CREATE USER IF NOT EXISTS analyst_org_1 IDENTIFIED WITH sha256_password BY 'choose a password' SETTINGS PROFILE 'analyst';

CREATE QUOTA IF NOT EXISTS analyst_org_1
    FOR INTERVAL 1 minute MAX queries = 1200,
    FOR INTERVAL 1 hour MAX queries = 20000, execution_time = 3600
    TO analyst_org_1;

-- Policies come before rights, so that there is no moment without. This one keeps every other user as they were, whatever the server does
-- with users who have no policy on a table that has some.
CREATE ROW POLICY IF NOT EXISTS everyone
    ON orgstats.conversations, orgstats.messages, orgstats.kb_files, orgstats.members
    USING 1 AS PERMISSIVE TO ALL;

-- And this one holds beside any other, because it is restrictive. The views have no policies of their own: they read as who asks.
CREATE ROW POLICY IF NOT EXISTS analyst_org_1
    ON orgstats.conversations, orgstats.messages, orgstats.kb_files, orgstats.members
    USING org_id = 'org_1' AS RESTRICTIVE TO analyst_org_1;

GRANT SELECT ON orgstats.conversations TO analyst_org_1;
GRANT SELECT ON orgstats.messages TO analyst_org_1;
GRANT SELECT ON orgstats.kb_files TO analyst_org_1;
GRANT SELECT ON orgstats.members TO analyst_org_1;
GRANT SELECT ON orgstats.conversations_current TO analyst_org_1;
GRANT SELECT ON orgstats.messages_current TO analyst_org_1;
GRANT SELECT ON orgstats.kb_files_current TO analyst_org_1;
GRANT SELECT ON orgstats.members_current TO analyst_org_1;
GRANT SELECT ON orgstats.daily_figures TO analyst_org_1;
GRANT SELECT ON orgstats.daily_agent_figures TO analyst_org_1;
GRANT SELECT ON orgstats.daily_user_figures TO analyst_org_1;
GRANT SELECT ON orgstats.figures_in_window TO analyst_org_1;
GRANT SELECT ON orgstats.figures_by_interval_in_window TO analyst_org_1;
GRANT SELECT ON orgstats.figures_by_agent_in_window TO analyst_org_1;
GRANT SELECT ON orgstats.figures_by_user_in_window TO analyst_org_1;
GRANT SELECT ON orgstats.figures_by_role_in_window TO analyst_org_1;
GRANT SELECT ON orgstats.figures_by_knowledge_base_in_window TO analyst_org_1;
GRANT SELECT ON orgstats.figures_by_metadata_in_window TO analyst_org_1;
