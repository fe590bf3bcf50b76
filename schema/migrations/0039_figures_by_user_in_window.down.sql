DROP VIEW IF EXISTS figures_by_user_in_window;
