// Package record holds the four records that the loader replicates and reads them, one line of newline-delimited
// JSON each.
//
// Times are milliseconds since 1970 in UTC.
package record

// Record is a *Conversation, *Message, *KBFile or *Member.
type Record interface {
	Kind() Kind
	// Key returns what a row of the source is looked up by: the id or, of a member, the key of its row.
	Key() string
	// Identity returns what distinguishes the record from all others of its kind. That of a member's tombstone is not
	// known.
	Identity() Identity
	// Owner returns the organization or, of a message, the conversation that the record belongs to.
	Owner() string
	version() *Version
}

// Identity is an id, or an organization and a user.
type Identity [2]string

// VersionOf returns the version of a record, to be read or changed.
func VersionOf(r Record) *Version { return r.version() }
