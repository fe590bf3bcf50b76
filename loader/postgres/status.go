package postgres

import (
	"encoding/binary"
	"time"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

// postgresEpoch is where PostgreSQL's times begin.
var postgresEpoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// sendStatus tells the source up to where the log was written, flushed and applied, and asks it to answer or not: a
// standby status update, as in "Streaming Replication Protocol" of PostgreSQL's manual.
//
// It goes to the socket itself. pgconn's connection, by which pglogrepl would send it, is for one goroutine at a time,
// and another one reads the log from it.
func sendStatus(conn *pgconn.PgConn, taken pglogrepl.LSN, ask bool) error {
	data := []byte{pglogrepl.StandbyStatusUpdateByteID}
	for range 3 {
		data = binary.BigEndian.AppendUint64(data, uint64(taken))
	}
	data = binary.BigEndian.AppendUint64(data, uint64(time.Since(postgresEpoch).Microseconds()))
	if ask {
		data = append(data, 1)
	} else {
		data = append(data, 0)
	}
	message, err := (&pgproto3.CopyData{Data: data}).Encode(nil)
	if err != nil {
		return err
	}
	_, err = conn.Conn().Write(message)
	return err
}
