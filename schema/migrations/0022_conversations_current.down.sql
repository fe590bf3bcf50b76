DROP VIEW IF EXISTS conversations_current;
