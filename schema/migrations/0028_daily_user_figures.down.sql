DROP VIEW IF EXISTS daily_user_figures;
