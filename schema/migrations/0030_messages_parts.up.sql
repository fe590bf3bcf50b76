-- A part of a batch has one file for all columns, and so few files to bring to the disk before the batch is durable: a file for each
-- column takes longer to sync than to write. Parts that were merged have a file for each.
ALTER TABLE messages MODIFY SETTING min_bytes_for_wide_part = 100000000;
