DROP VIEW IF EXISTS messages_current;
