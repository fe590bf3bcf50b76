package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

// stream follows the log: it turns the changes that the slot sends into records.
type stream struct {
	conn    *pgconn.PgConn
	catalog *catalog
	tables  []*table
	queue   *queue
	rejects *openRejects
	base    uint64            // of positions
	after   pglogrepl.LSN     // what was committed before is taken already
	floors  map[string]uint64 // positions of tables before which their changes are passed over: a copy has them

	layouts     map[uint32]*layout
	transaction transaction

	confirmed atomic.Uint64 // what the source may forget
	serverEnd atomic.Uint64 // how far its log goes
	reply     chan struct{}
	every     time.Duration // how often the source hears of this
	heard     atomic.Int64  // when it was heard of last, while it is listened to; 0: it is not
}

// silence is how long the source may say nothing, though it is asked all the time, before its connection is given up.
const silence = time.Minute

// transaction is the one that the log is in.
type transaction struct {
	open     bool
	taken    bool // it was taken before: its changes are passed over
	position uint64
	at       time.Time
}

// layout is how the rows of a table come in the log.
type layout struct {
	table  *table // as its columns are now
	slots  []int
	values []value
	old    []value
	floor  uint64 // position before which changes are passed over

	unfit   error // why no change that comes so can be taken,
	keyless error // or only one that inserts a row
}

// wants reports whether a change of a kind is to be taken, or else passed over because the table's copy has it. A
// change that can't be taken and would be missed is an error.
func (s *stream) wants(l *layout, kind pglogrepl.MessageType) (bool, error) {
	switch {
	case s.transaction.taken || l == nil || s.transaction.position < l.floor:
		return false, nil
	case l.unfit != nil:
		return false, l.unfit
	case kind != pglogrepl.MessageTypeInsert && l.keyless != nil:
		return false, l.keyless
	}
	return true, nil
}

// start begins to follow.
func (s *stream) start(ctx context.Context, slot, publication string) error {
	s.layouts, s.reply = map[uint32]*layout{}, make(chan struct{}, 1)
	s.confirmed.Store(uint64(s.after))
	err := pglogrepl.StartReplication(ctx, s.conn, slot, s.after, pglogrepl.StartReplicationOptions{
		Mode:       pglogrepl.LogicalReplication,
		PluginArgs: []string{"proto_version '1'", "publication_names " + literal(identifier(publication))},
	})
	if err != nil {
		return fmt.Errorf("follow slot %s: %w", slot, err)
	}
	return nil
}

// run reads the log until the connection or the context ends.
func (s *stream) run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { _ = s.conn.Conn().SetReadDeadline(time.Now()) })
	defer stop()
	for {
		// Without a context of its own, which would cost more than the message.
		s.heard.Store(time.Now().UnixNano())
		message, err := s.conn.ReceiveMessage(context.Background())
		s.heard.Store(0)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			return fmt.Errorf("read the log: %w", err)
		}
		switch message := message.(type) {
		case *pgproto3.CopyData:
			err = s.copyData(ctx, message.Data)
		case *pgproto3.ErrorResponse:
			err = fmt.Errorf("PostgreSQL ended the log: %w", pgconn.ErrorResponseToPgError(message))
		case *pgproto3.CopyDone:
			err = errors.New("PostgreSQL ended the log")
		}
		if err != nil {
			return err
		}
	}
}

func (s *stream) copyData(ctx context.Context, data []byte) error {
	if len(data) == 0 {
		return errShort
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
			return fmt.Errorf("read the log: %w", err)
		}
		s.sawEnd(message.ServerWALEnd)
		return s.message(ctx, message.WALData)
	}
	return nil
}

// keepalive takes in that the log has come to a place without bringing anything. In the middle of a transaction that
// says nothing: its changes come together, when it is committed.
func (s *stream) keepalive(m pglogrepl.PrimaryKeepaliveMessage) {
	s.sawEnd(m.ServerWALEnd)
	if m.ReplyRequested {
		s.askReply()
	}
	if s.transaction.open {
		return
	}
	s.queue.put(func(w *work) {
		w.confirm = max(w.confirm, m.ServerWALEnd)
		w.urgent = w.urgent || m.ReplyRequested
	})
}

func (s *stream) sawEnd(end pglogrepl.LSN) {
	if uint64(end) > s.serverEnd.Load() {
		s.serverEnd.Store(uint64(end))
	}
}

func (s *stream) askReply() {
	select {
	case s.reply <- struct{}{}:
	default:
	}
}

// confirm lets the source forget what it has sent up to a place.
func (s *stream) confirm(to pglogrepl.LSN) {
	s.confirmed.Store(uint64(to))
	s.askReply()
}

// feedback tells the source every second or more often, and whenever it asks, how far the log was taken, also while a
// batch is being written. The source answers with how far its log goes.
func (s *stream) feedback(ctx context.Context) error {
	ticker := time.NewTicker(s.every)
	defer ticker.Stop()
	for {
		ask := false
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.reply:
		case <-ticker.C:
			ask = true
			if heard := s.heard.Load(); heard > 0 && time.Since(time.Unix(0, heard)) > silence {
				return fmt.Errorf("PostgreSQL has said nothing for %s", silence)
			}
		}
		if err := s.tell(ask); err != nil {
			return err
		}
	}
}

func (s *stream) tell(ask bool) error {
	if err := sendStatus(s.conn, pglogrepl.LSN(s.confirmed.Load()), ask); err != nil {
		return fmt.Errorf("confirm the log: %w", err)
	}
	return nil
}

// message takes in one message of pgoutput.
func (s *stream) message(ctx context.Context, data []byte) error {
	if len(data) == 0 {
		return errShort
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
		return fmt.Errorf("read the log: %w", err)
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

func (s *stream) begin(m *pglogrepl.BeginMessage) {
	s.transaction = transaction{
		open: true, taken: m.FinalLSN < s.after, position: s.base + uint64(m.FinalLSN), at: m.CommitTime,
	}
}

func (s *stream) commit(m *pglogrepl.CommitMessage) {
	s.transaction.open = false
	s.queue.put(func(w *work) { w.confirm = max(w.confirm, m.TransactionEndLSN) })
}

// truncate takes in that tables were emptied.
func (s *stream) truncate(m *pglogrepl.TruncateMessage) {
	if s.transaction.taken {
		return
	}
	w := newWork()
	w.position, w.at, w.first = s.transaction.position, s.transaction.at, s.transaction.at
	for _, id := range m.RelationIDs {
		if l := s.layouts[id]; l != nil && s.transaction.position >= l.floor {
			w.truncated = append(w.truncated, l.table)
			w.count(l.table).truncated++
		}
	}
	if len(w.truncated) > 0 {
		s.rejects.forgetTables(w)
		s.queue.putAlone(w)
	}
}
