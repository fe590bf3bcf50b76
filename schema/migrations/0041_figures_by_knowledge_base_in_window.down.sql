DROP VIEW IF EXISTS figures_by_knowledge_base_in_window;
