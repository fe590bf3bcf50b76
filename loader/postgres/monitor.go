package postgres

// Monitor is what a replication tells of itself while it runs.
type Monitor struct{}

func (m *Monitor) waitFor(what string)       {}
func (m *Monitor) connected(s *session)      {}
func (m *Monitor) disconnected()             {}
func (m *Monitor) wrote(s *session, w *work) {}
func (m *Monitor) settled(s *session)        {}
