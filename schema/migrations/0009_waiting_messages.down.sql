DROP VIEW IF EXISTS waiting_messages;
