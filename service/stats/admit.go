package stats

import (
	"context"
	"time"
)

// Admit waits until a question of the organization may be worked on, or refuses it. Leave must be called when the
// question is done with.
type Admit func(ctx context.Context, orgID string) (leave func(), err error)

// AdmitWith lets a store ask before it works on a question. Its errors are Answer's.
func (s *Store) AdmitWith(admit Admit) { s.admit = admit }

// enter waits for admission, if there is any, and notes how long that took.
func (s *Store) enter(ctx context.Context, orgID string) (leave func(), err error) {
	if s.admit == nil {
		return func() {}, nil
	}
	asked := time.Now()
	leave, err = s.admit(ctx, orgID)
	accountOf(ctx).note(func(c *Costs) { c.Waited += time.Since(asked) })
	return leave, err
}
