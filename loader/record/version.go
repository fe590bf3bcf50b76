package record

// Version orders the versions of a record. The greatest one wins, whatever the order in which versions come.
type Version struct {
	LSN       uint64 // position of the change in the source's WAL; 0 for records of files
	UpdatedAt int64
	DeletedAt int64 // 0 unless Deleted
	Deleted   bool
	// Tombstone says that the source deleted the row and sent nothing of it but its key: all other fields are those of
	// the version before.
	Tombstone bool
	// Unsent are fields that the source did not send, because they did not change: the version before has them.
	Unsent Fields
}

// Before reports whether the other version wins over this one. The LSN decides; the time of the source compares
// only records of files, which have none. Of equal versions none is before the other.
func (v *Version) Before(other *Version) bool {
	if v.LSN != other.LSN {
		return v.LSN < other.LSN
	}
	return v.LSN == 0 && v.UpdatedAt < other.UpdatedAt
}

// IsPartial reports whether the record must be completed by the version before it.
func (v *Version) IsPartial() bool { return v.Tombstone || v.Unsent != 0 }

func (v *Version) version() *Version { return v }

// deleted returns this version as the tombstone t leaves it. What was deleted before stays deleted since then.
func (v Version) deleted(t *Version) Version {
	v.LSN = t.LSN
	if !v.Deleted {
		v.Deleted, v.DeletedAt = true, t.DeletedAt
	}
	return v
}

// NewTombstone returns the record that says that the source deleted a row, at a time in milliseconds since 1970. The
// key is that of Record.Key.
func NewTombstone(kind Kind, key string, lsn uint64, at int64) Record {
	r := kinds[kind].keyed(key)
	*r.version() = Version{LSN: lsn, Deleted: true, DeletedAt: at, Tombstone: true}
	return r
}
