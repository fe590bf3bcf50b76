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

// kinds says of each kind what its lines and mappings call it, how a record of it is read, and how one is made that has
// nothing but its key.
var kinds = [...]struct {
	name  string
	read  func(*reader) Record
	keyed func(key string) Record
}{
	KindConversation: {
		"conversation",
		func(r *reader) Record { return r.conversation() },
		func(key string) Record { return &Conversation{ID: key} },
	},
	KindMessage: {
		"message",
		func(r *reader) Record { return r.message() },
		func(key string) Record { return &Message{ID: key} },
	},
	KindKBFile: {
		"kbFile",
		func(r *reader) Record { return r.kbFile() },
		func(key string) Record { return &KBFile{ID: key} },
	},
	KindMember: {
		"member",
		func(r *reader) Record { return r.member() },
		func(key string) Record { return &Member{SourceKey: key} },
	},
}

// NumKinds is the number of kinds.
const NumKinds = len(kinds)

// Kinds are all kinds of records, in the order in which they are listed to users.
var Kinds = allKinds()

func allKinds() []Kind {
	all := make([]Kind, len(kinds))
	for i := range all {
		all[i] = Kind(i)
	}
	return all
}

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
	for _, k := range Kinds {
		names = append(names, quote+k.String()+quote)
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

// HasID reports whether records of the kind have an id. Members are told apart by their organization and user.
func (k Kind) HasID() bool { return k != KindMember }
