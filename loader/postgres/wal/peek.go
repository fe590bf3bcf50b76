package wal

import (
	"context"
	"encoding/binary"
	"time"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5"

	"github.com/orgstats/orgstats/loader/postgres/source"
)

const (
	PeekTime    = 30 * time.Second // how long a check reads the WAL,
	peekChanges = 500_000          // and how many changes of it
)

// peekSQL reads what the slot would send, without taking it: announcements of tables and beginnings of transactions as
// they are, and of rows just the kind of change and the table.
const peekSQL = `
SELECT CASE WHEN get_byte(data, 0) IN (ascii('R'), ascii('B')) THEN data ELSE substring(data FROM 1 FOR 5) END
FROM pg_logical_slot_peek_binary_changes($1, NULL, $2, 'proto_version', '1', 'publication_names', $3)
WHERE get_byte(data, 0) IN (ascii('R'), ascii('B'), ascii('I'), ascii('U'), ascii('D'))`

// Peek reads ahead in the WAL without consuming it, on a connection of its own: what it finds is looked up on the
// catalog's. It returns how many messages it has read, and why one of them could not be applied.
func (s *Stream) Peek(ctx context.Context, url, slot, publication string) (messages int, err error) {
	s.layouts = map[uint32]*layout{}
	conn, err := source.Connect(ctx, url)
	if err != nil {
		return 0, err
	}
	defer source.CloseQuietly(conn)
	// Rows are read ahead as they will be sent: as they are.
	if _, err := conn.Exec(ctx, source.LaterSettings(true)); err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, PeekTime)
	defer cancel()
	rows, _ := conn.Query(ctx, peekSQL, pgx.QueryExecModeExec, slot, peekChanges, source.Identifier(publication)) // its error comes with the rows
	var data []byte
	_, err = pgx.ForEachRow(rows, []any{&data}, func() error {
		messages++
		return s.checkMessage(ctx, data)
	})
	if ctx.Err() != nil {
		return messages, context.DeadlineExceeded
	}
	return messages, err
}

// checkMessage finds out whether a message of the WAL could be applied. Of changes there is only the beginning.
func (s *Stream) checkMessage(ctx context.Context, data []byte) error {
	switch kind := pglogrepl.MessageType(data[0]); kind {
	case pglogrepl.MessageTypeInsert, pglogrepl.MessageTypeUpdate, pglogrepl.MessageTypeDelete:
		if len(data) < 5 {
			return ErrShort
		}
		_, err := s.isWanted(s.layouts[binary.BigEndian.Uint32(data[1:])], kind)
		return err
	}
	return s.message(ctx, data)
}
