DROP VIEW IF EXISTS members_current;
