DROP VIEW IF EXISTS figures_by_metadata_in_window;
