package stats

import "context"

// plain answers by the plain query.
func (s session) plain(ctx context.Context) (Answer, error) {
	rows, err := s.query(ctx, PlainQuery(s.Question))
	if err != nil {
		return Answer{}, err
	}
	defer func() { _ = rows.Close() }()
	t := newTally(s.Question)
	for rows.Next() {
		row := plainRow{Start: t.window.From} // unless the query says otherwise
		if err := rows.ScanStruct(&row); err != nil {
			return Answer{}, err
		}
		if err := t.add(row); err != nil {
			return Answer{}, err
		}
	}
	if err := rows.Err(); err != nil {
		return Answer{}, err
	}
	return t.answer()
}

// plainRow is a row of the plain query. One that is not grouped has figures only.
type plainRow struct {
	Row    uint32 `ch:"row"`
	Level  uint8  `ch:"level"`
	Start  int64  `ch:"start"`
	Groups uint64 `ch:"groups"` // of the window, in all rows alike
	Group
	Figures
}

// add adds the figures of one subject.
func (t *tally) add(r plainRow) error {
	row := t.row(r.Row)
	if r.Row > 0 && int(r.Row) <= t.question.Grouping.Limit {
		row.Group = r.Group
	}
	t.groups = max(t.groups, int(r.Groups))
	return t.figures(row, r.Start, r.Level == 0).add(r.Figures)
}
