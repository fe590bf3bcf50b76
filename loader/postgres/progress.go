package postgres

import (
	"sync"
	"time"

	"github.com/jackc/pglogrepl"
)

// progress finds out how old the replicas are. The WAL does not say: a source that is quiet commits nothing, and one
// that is behind has committed much. So the end of the WAL is looked up now and then, and once everything up to there
// is written, the replicas have every change that was committed before that look.
type progress struct {
	mu    sync.Mutex
	looks []look // in order
}

// look is the end of the WAL at a time, by this machine's clock.
type look struct {
	at  time.Time
	end pglogrepl.LSN
}

func (p *progress) add(l look) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.looks = append(p.looks, l)
}

// caughtUpAt returns the time of the last look whose end of the WAL is written, the zero time if there is none. Those
// before are forgotten.
func (p *progress) caughtUpAt(written pglogrepl.LSN) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.looks) > 1 && p.looks[1].end <= written {
		p.looks = p.looks[1:]
	}
	if len(p.looks) == 0 || p.looks[0].end > written {
		return time.Time{}
	}
	return p.looks[0].at
}
