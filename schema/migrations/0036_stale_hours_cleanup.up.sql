-- Hours that are not stale anymore are removed when the loader merges the table, so that it does not keep every hour that was ever
-- marked: whoever asks about an organization that the service does not know reads all rows of it.
ALTER TABLE stale_hours MODIFY SETTING allow_experimental_replacing_merge_with_cleanup = 1;
