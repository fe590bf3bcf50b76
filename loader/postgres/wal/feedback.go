package wal

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5/pgproto3"
)

// postgresEpoch is where PostgreSQL's times begin.
var postgresEpoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// silenceLimit is how long the source may say nothing, though it is asked all the time, before its connection is given
// up.
const silenceLimit = time.Minute

// SendFeedback reports to the source every second or more often, and whenever it asks, how far the WAL was processed,
// also while a batch is being written. The source answers with how far its WAL goes.
func (s *Stream) SendFeedback(ctx context.Context) error {
	ticker := time.NewTicker(s.FeedbackInterval)
	defer ticker.Stop()
	for {
		ask := false
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.reply:
		case <-ticker.C:
			ask = true
			if heard := s.listeningSince.Load(); heard > 0 && time.Since(time.Unix(0, heard)) > silenceLimit {
				return fmt.Errorf("no message from PostgreSQL for %s", silenceLimit)
			}
		}
		if err := s.SendStatus(ask); err != nil {
			return err
		}
	}
}

// SendStatus reports to the source up to where the WAL was written, flushed and applied, and asks it to answer or not:
// a standby status update, as in "Streaming Replication Protocol" of PostgreSQL's manual.
//
// It goes to the socket itself. pgconn's connection, by which pglogrepl would send it, is for one goroutine at a time,
// and another one reads the WAL from it.
func (s *Stream) SendStatus(ask bool) error {
	data := []byte{pglogrepl.StandbyStatusUpdateByteID}
	for range 3 {
		data = binary.BigEndian.AppendUint64(data, s.Confirmed.Load())
	}
	data = append(binary.BigEndian.AppendUint64(data, uint64(time.Since(postgresEpoch).Microseconds())), 0)
	if ask {
		data[len(data)-1] = 1
	}
	message, err := (&pgproto3.CopyData{Data: data}).Encode(nil)
	if err == nil {
		_, err = s.Conn.Conn().Write(message)
	}
	if err != nil {
		return fmt.Errorf("confirm the WAL: %w", err)
	}
	return nil
}

// Confirm lets the source forget what it has sent up to an LSN.
func (s *Stream) Confirm(to pglogrepl.LSN) {
	s.Confirmed.Store(uint64(to))
	wake(s.reply)
}
