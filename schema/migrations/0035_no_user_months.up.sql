-- Months of users are summed up from their hours, and kept in the service's memory.
DROP TABLE IF EXISTS user_months;
