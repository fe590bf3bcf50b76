package main

import (
	"net/http"
	"testing"

	"github.com/orgstats/orgstats/service/auth"
)

// Far more is asked than is let through. What is accepted is answered rightly, the rest is told to come again, nothing else
// happens, and an organisation that asks little is answered whatever another does.
func TestOverload(t *testing.T) {
	t.Parallel()
	s := loadedServer(t, "--cache-size=0", "--concurrency=1", "--queue=2", "--queue-time=10s", "--user-rate=0", "--organization-rate=0")
	s.client.Transport.(*http.Transport).MaxIdleConnsPerHost = 40
	quiet := s.gather(1, auth.Caller{OrgID: "org_bolt", UserID: "user_025", Role: "org:admin"}, always())
	before := s.scrape()
	noisy := s.gather(30, adminOfAcme, always())
	for range 8 {
		quiet.awaitAnswers("to the quiet organisation")
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

// Whoever asks more often than is allowed is told so; others are not concerned.
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
