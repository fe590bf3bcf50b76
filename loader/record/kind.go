package record

import "strings"

// Kind is a kind of record.
type Kind uint8

// Kinds of records.
const (
	KindConversation Kind = iota
	KindMessage
	KindKBFile
	KindMember
)

// kinds says of each kind what its lines and mappings call it, whether its records have an id, and how one is made that
// has nothing but its key.
var kinds = [...]struct {
	name  string
	hasID bool
	keyed func(key string) Record
}{
	KindConversation: {"conversation", true, func(key string) Record { return &Conversation{ID: key} }},
	KindMessage:      {"message", true, func(key string) Record { return &Message{ID: key} }},
	KindKBFile:       {"kbFile", true, func(key string) Record { return &KBFile{ID: key} }},
	KindMember:       {"member", false, func(key string) Record { return &Member{SourceKey: key} }},
}

// NumKinds is the number of kinds.
const NumKinds = len(kinds)

// String returns the name of the kind in lines and mappings.
func (k Kind) String() string { return kinds[k].name }

// ParseKind returns the kind of a name, and whether there is one.
func ParseKind(name string) (Kind, bool) {
	for i := range kinds {
		if kinds[i].name == name {
			return Kind(i), true
		}
	}
	return 0, false
}

// KindNames lists the names of all kinds for a sentence, each between quotation marks.
func KindNames(quote string) string {
	var names []string
	for _, k := range kinds {
		names = append(names, quote+k.name+quote)
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

// HasID reports whether records of the kind have an id. What identifies members is their organization and user.
func (k Kind) HasID() bool { return kinds[k].hasID }
