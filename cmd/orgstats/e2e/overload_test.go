package e2e

import (
	"net/http"
	"testing"

	"github.com/orgstats/orgstats/service/auth"
)

// Far more is asked than is admitted. What is accepted gets right answers, the rest is refused with Retry-After,
// nothing else happens, and an organization that asks little is answered whatever another one does.
func TestOverload(t *testing.T) {
	t.Parallel()
	s := loadedServer(t, "--memory=0", "--concurrency=1", "--queue=2", "--queue-time=1m", "--user-rate=0", "--organization-rate=0")
	s.client.Transport.(*http.Transport).MaxIdleConnsPerHost = 40
	quiet := s.gather(1, auth.Caller{OrgID: "org_bolt", UserID: "user_025", Role: "org:admin"}, always())
	before := s.scrape()
	noisy := s.gather(30, adminOfAcme, always())
	for range 8 {
		quiet.awaitAnswers("to the quiet organization")
	}
	expectOnly(t, quiet.stop(), http.StatusOK)
	statuses := noisy.stop()
	expectOnly(t, statuses, http.StatusOK, http.StatusServiceUnavailable)
	if statuses[http.StatusServiceUnavailable] == 0 || statuses[http.StatusOK] == 0 {
		t.Errorf("statuses %v, want both answers and refusals", statuses)
	}
	after := s.scrape()
	shed := after[`orgstats_questions_shed_total{reason="queue_full"}`] + after[`orgstats_questions_shed_total{reason="waited"}`]
	if int(shed) != statuses[http.StatusServiceUnavailable] {
		t.Errorf("the metrics count %v questions that were shed, want %d", shed, statuses[http.StatusServiceUnavailable])
	}
	s.expectNoLeak(before)
	if s.ask(s.token(adminOfAcme), always()).status != http.StatusOK {
		t.Error("when it is over, the service does not answer")
	}
}

// Callers who ask more often than allowed are rate-limited; others are not affected.
func TestRatesOfTheService(t *testing.T) {
	t.Parallel()
	s := loadedServer(t, "--user-rate=0", "--organization-rate=2")
	noisy := s.gather(4, adminOfAcme, always())
	quiet := auth.Caller{OrgID: "org_bolt", UserID: "user_025", Role: "org:admin"}
	for range 4 { // two seconds' worth at once
		s.figures(quiet, always())
	}
	noisy.awaitAnswers("at the rate that is allowed")
	statuses := noisy.stop()
	expectOnly(t, statuses, http.StatusOK, http.StatusTooManyRequests)
	if statuses[http.StatusTooManyRequests] == 0 {
		t.Errorf("statuses %v, want refusals", statuses)
	}
}

// An organization's statements run with low priority once it uses up its rate, and only its own.
func TestWhoAsksAllItMayGivesWay(t *testing.T) {
	t.Parallel()
	s := loadedServer(t, "--memory=0", "--user-rate=0", "--organization-rate=0.51")
	quiet := auth.Caller{OrgID: "org_bolt", UserID: "user_025", Role: "org:admin"}
	// Two may come at once. The second uses the rate up if it comes within two seconds, for which the service should
	// have been asked before.
	for _, caller := range []auth.Caller{quiet, adminOfAcme, adminOfAcme} {
		s.figures(caller, always())
	}
	conn := s.connection()
	if err := conn.Exec(t.Context(), "SYSTEM FLUSH LOGS"); err != nil {
		t.Fatal(err)
	}
	var ordinary, givingWay, others uint64
	err := conn.QueryRow(t.Context(), `
SELECT uniqExactIf(log_comment, priority = '1'), uniqExactIf(log_comment, priority = '2'), uniqExactIf(log_comment, priority NOT IN ('1', '2'))
FROM (SELECT log_comment, Settings['priority'] AS priority FROM system.query_log WHERE log_comment LIKE 'orgstats request %' AND type = 'QueryFinish')`,
	).Scan(&ordinary, &givingWay, &others)
	if err != nil || ordinary != 2 || givingWay != 1 || others != 0 {
		t.Errorf("%d requests are ordinary, %d give way, %d neither (%v), want 2, 1 and none", ordinary, givingWay, others, err)
	}
}
