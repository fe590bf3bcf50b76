-- A source that is quiet commits nothing, and one that is behind has committed much: neither says how old the replicas are. This does.
ALTER TABLE replication_sources
    ADD COLUMN IF NOT EXISTS caught_up_at DateTime64(3, 'UTC') COMMENT 'Every change that was committed before is in the replicas, of all tables; 1970: not once yet.' AFTER committed_at;
