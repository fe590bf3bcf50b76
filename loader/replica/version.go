package replica

import "github.com/orgstats/orgstats/loader/record"

// version is what decides which of two versions of a record wins. A place in a log goes before the time that the source
// gives, which compares only records of files: those have no place.
type version struct {
	position  uint64
	updatedAt int64
}

func (v version) before(other version) bool {
	if v.position != other.position {
		return v.position < other.position
	}
	return v.position == 0 && v.updatedAt < other.updatedAt
}

func conversationVersion(r *record.Conversation) version { return version{r.LogPosition, r.UpdatedAt} }
func messageVersion(r *record.Message) version           { return version{r.LogPosition, r.UpdatedAt} }
func kbFileVersion(r *record.KBFile) version             { return version{r.LogPosition, r.UpdatedAt} }
func memberVersion(r *record.Member) version             { return version{r.LogPosition, r.UpdatedAt} }
