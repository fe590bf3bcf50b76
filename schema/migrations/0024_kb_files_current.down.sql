DROP VIEW IF EXISTS kb_files_current;
