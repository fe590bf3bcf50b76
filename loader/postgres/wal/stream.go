package wal

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/orgstats/orgstats/loader/postgres/source"
)

// Stream follows the WAL: it turns the changes that the slot sends into records.
type Stream struct {
	Conn     *pgconn.PgConn
	Catalog  *source.Catalog
	Tables   []*source.Table
	Queue    *Queue
	Rejects  *OpenRejects
	Base     uint64            // of positions
	StartLSN pglogrepl.LSN     // what was committed before is written already
	Floors   map[string]uint64 // positions of tables before which their changes are skipped: a copy has them

	layouts     map[uint32]*layout
	transaction transaction

	Confirmed        atomic.Uint64 // what the source may forget
	ServerEnd        atomic.Uint64 // how far its WAL goes
	reply            chan struct{}
	FeedbackInterval time.Duration // how often the source hears of this
	listeningSince   atomic.Int64  // when it was heard of last, while it is listened to; 0: it is not
}

// transaction is the one that the WAL is in.
type transaction struct {
	open     bool
	applied  bool // an earlier run wrote it: its changes are skipped
	position uint64
	at       time.Time
}

// layout is how the rows of a table come in the WAL.
type layout struct {
	table  *source.Table // as its columns are now
	slots  []int
	values []source.Value
	old    []source.Value
	floor  uint64 // position before which changes are skipped

	unfit   error // why no change that comes like this can be applied,
	keyless error // or only one that inserts a row
}

// isWanted reports whether a change of a kind is to be applied, or else skipped because the table's copy has it. A
// change that can't be applied and would be missed is an error.
func (s *Stream) isWanted(l *layout, kind pglogrepl.MessageType) (bool, error) {
	switch {
	case s.transaction.applied || l == nil || s.transaction.position < l.floor:
		return false, nil
	case l.unfit != nil:
		return false, l.unfit
	case kind != pglogrepl.MessageTypeInsert && l.keyless != nil:
		return false, l.keyless
	}
	return true, nil
}

// Start begins to follow.
func (s *Stream) Start(ctx context.Context, slot, publication string) error {
	s.layouts, s.reply = map[uint32]*layout{}, make(chan struct{}, 1)
	s.Confirmed.Store(uint64(s.StartLSN))
	err := pglogrepl.StartReplication(ctx, s.Conn, slot, s.StartLSN, pglogrepl.StartReplicationOptions{
		Mode:       pglogrepl.LogicalReplication,
		PluginArgs: []string{"proto_version '1'", "publication_names " + source.Literal(source.Identifier(publication))},
	})
	if err != nil {
		return fmt.Errorf("follow slot %s: %w", slot, err)
	}
	return nil
}

// Run reads the WAL until the connection or the context ends.
func (s *Stream) Run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { _ = s.Conn.Conn().SetReadDeadline(time.Now()) })
	defer stop()
	for {
		// Without a context of its own, which would cost more than the message.
		s.listeningSince.Store(time.Now().UnixNano())
		message, err := s.Conn.ReceiveMessage(context.Background())
		s.listeningSince.Store(0)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			return fmt.Errorf("read the WAL: %w", err)
		}
		switch message := message.(type) {
		case *pgproto3.CopyData:
			err = s.copyData(ctx, message.Data)
		case *pgproto3.ErrorResponse:
			err = fmt.Errorf("PostgreSQL ended the WAL stream: %w", pgconn.ErrorResponseToPgError(message))
		case *pgproto3.CopyDone:
			err = errors.New("PostgreSQL ended the WAL stream")
		}
		if err != nil {
			return err
		}
	}
}

func (s *Stream) copyData(ctx context.Context, data []byte) error {
	if len(data) == 0 {
		return ErrShort
	}
	switch data[0] {
	case pglogrepl.PrimaryKeepaliveMessageByteID:
		message, err := pglogrepl.ParsePrimaryKeepaliveMessage(data[1:])
		if err != nil {
			return fmt.Errorf("read a keepalive: %w", err)
		}
		s.keepalive(message)
	case pglogrepl.XLogDataByteID:
		message, err := pglogrepl.ParseXLogData(data[1:])
		if err != nil {
			return fmt.Errorf("read the WAL: %w", err)
		}
		s.noteEnd(message.ServerWALEnd)
		return s.message(ctx, message.WALData)
	}
	return nil
}

// keepalive notes that the WAL has reached an LSN without changes. In the middle of a transaction that
// says nothing: its changes come together, when it is committed.
func (s *Stream) keepalive(m pglogrepl.PrimaryKeepaliveMessage) {
	s.noteEnd(m.ServerWALEnd)
	if m.ReplyRequested {
		wake(s.reply)
	}
	if s.transaction.open {
		return
	}
	s.Queue.put(func(w *Changes) {
		w.ConfirmTo = max(w.ConfirmTo, m.ServerWALEnd)
		w.Urgent = w.Urgent || m.ReplyRequested
	})
}

func (s *Stream) noteEnd(end pglogrepl.LSN) {
	if uint64(end) > s.ServerEnd.Load() {
		s.ServerEnd.Store(uint64(end))
	}
}

// message handles one message of pgoutput.
func (s *Stream) message(ctx context.Context, data []byte) error {
	if len(data) == 0 {
		return ErrShort
	}
	switch pglogrepl.MessageType(data[0]) {
	case pglogrepl.MessageTypeInsert, pglogrepl.MessageTypeUpdate, pglogrepl.MessageTypeDelete:
		return s.change(data)
	case pglogrepl.MessageTypeBegin, pglogrepl.MessageTypeCommit, pglogrepl.MessageTypeRelation, pglogrepl.MessageTypeTruncate:
	default:
		return nil
	}
	parsed, err := pglogrepl.Parse(data)
	if err != nil {
		return fmt.Errorf("read the WAL: %w", err)
	}
	switch m := parsed.(type) {
	case *pglogrepl.BeginMessage:
		s.begin(m)
	case *pglogrepl.CommitMessage:
		s.commit(m)
	case *pglogrepl.RelationMessage:
		return s.relation(ctx, m)
	case *pglogrepl.TruncateMessage:
		s.truncate(m)
	}
	return nil
}

func (s *Stream) begin(m *pglogrepl.BeginMessage) {
	s.transaction = transaction{
		open: true, applied: m.FinalLSN < s.StartLSN, position: s.Base + uint64(m.FinalLSN), at: m.CommitTime,
	}
}

func (s *Stream) commit(m *pglogrepl.CommitMessage) {
	s.transaction.open = false
	s.Queue.put(func(w *Changes) { w.ConfirmTo = max(w.ConfirmTo, m.TransactionEndLSN) })
}

// truncate notes that tables were truncated.
func (s *Stream) truncate(m *pglogrepl.TruncateMessage) {
	if s.transaction.applied {
		return
	}
	w := NewChanges()
	w.Position, w.CommittedAt, w.FirstCommittedAt = s.transaction.position, s.transaction.at, s.transaction.at
	for _, id := range m.RelationIDs {
		if l := s.layouts[id]; l != nil && s.transaction.position >= l.floor {
			w.Truncated = append(w.Truncated, l.table)
			w.Count(l.table).Truncated++
		}
	}
	if len(w.Truncated) > 0 {
		s.Rejects.resolveTables(w)
		s.Queue.putAlone(w)
	}
}
