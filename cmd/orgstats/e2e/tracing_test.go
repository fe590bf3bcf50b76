package e2e

import (
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	spans "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/orgstats/orgstats/clickhouse/engine/enginetest"
)

// receiver receives spans over OTLP, as a collector does.
type receiver struct {
	*httptest.Server
	mu       sync.Mutex
	spans    []*spans.Span
	services []string
}

func startReceiver(t *testing.T) *receiver {
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(request.Body)
		var export collector.ExportTraceServiceRequest
		if err == nil {
			err = proto.Unmarshal(body, &export)
		}
		if err != nil || request.URL.Path != "/v1/traces" {
			t.Errorf("%s is no export of spans: %v", request.URL.Path, err)
		}
		r.take(&export)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) take(export *collector.ExportTraceServiceRequest) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, resource := range export.ResourceSpans {
		for _, attribute := range resource.Resource.Attributes {
			if attribute.Key == "service.name" {
				r.services = append(r.services, attribute.Value.GetStringValue())
			}
		}
		for _, scope := range resource.ScopeSpans {
			r.spans = append(r.spans, scope.Spans...)
		}
	}
}

// of returns the spans of a trace.
func (r *receiver) of(traceID string) (found []*spans.Span) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, span := range r.spans {
		if hex.EncodeToString(span.TraceId) == traceID {
			found = append(found, span)
		}
	}
	return found
}

const (
	traceID  = "0af7651916cd43dd8448eb211c80319c"
	parentID = "b7ad6b7169203331"
	// spanLog lets the engine store its own spans, as a server can be configured to do.
	spanLog = `<clickhouse><opentelemetry_span_log>
    <database>system</database><table>opentelemetry_span_log</table>
    <engine>ENGINE = Memory</engine><flush_interval_milliseconds>100</flush_interval_milliseconds>
</opentelemetry_span_log></clickhouse>`
)

// A request with a caller's trace becomes a part of that trace, and so do its statements, on both sides of the
// connection.
func TestTracesReachFromTheCallerToClickHouse(t *testing.T) {
	t.Parallel()
	r := startReceiver(t)
	i := install(t)
	if err := os.MkdirAll(filepath.Join(i.data(), "engine.d"), 0o700); err != nil {
		t.Fatal(err)
	}
	i.write(filepath.Join("data", "engine.d", "spans.xml"), []byte(spanLog))
	c := readContract(t)
	c.checkLoad(t, i.runWith(joined(c.lines(t)), "load", "-"), true)
	i.env = []string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + r.URL, "OTEL_SERVICE_NAME=figures", "OTEL_BSP_SCHEDULE_DELAY=20"}
	s := i.serve()
	q := always()
	q.Set("metadataValue", "secretValue")
	token := s.token(adminOfAcme)
	s.askTraced(token, s.url(q))

	var server *spans.Span
	if !enginetest.Eventually(func() bool {
		for _, span := range r.of(traceID) {
			if span.Kind == spans.Span_SPAN_KIND_SERVER {
				server = span
			}
		}
		return server != nil
	}) {
		t.Fatal("the request's span does not arrive")
	}
	if server.Name != "GET /api/dashboard/getStats" || hex.EncodeToString(server.ParentSpanId) != parentID {
		t.Errorf("the request's span is %v", server)
	}
	expectStatements(t, r, server)
	expectNothingOf(t, fmt.Sprint(r.of(traceID)), token, "secretValue")
	if r.services[0] != "figures" {
		t.Errorf("the service is called %q", r.services[0])
	}
	conn := i.connection()
	if !enginetest.Eventually(func() bool {
		var n uint64
		const sql = "SELECT count() FROM system.opentelemetry_span_log WHERE lower(hex(trace_id)) = replaceAll($1, '-', '')"
		return conn.QueryRow(t.Context(), sql, traceID).Scan(&n) == nil && n > 0
	}) {
		t.Error("ClickHouse does not go on with the trace")
	}
	if !strings.Contains(s.stderr.String(), "trace_id="+traceID) {
		t.Error("the log does not name the trace")
	}
}

// askTraced sends a request that is part of a trace.
func (s *server) askTraced(token, url string) {
	s.Helper()
	request, err := http.NewRequestWithContext(s.Context(), http.MethodGet, url, nil)
	if err != nil {
		s.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Traceparent", "00-"+traceID+"-"+parentID+"-01")
	response, err := s.client.Do(request)
	if err != nil {
		s.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK {
		s.Fatalf("status %d", response.StatusCode)
	}
}

// expectStatements checks that a request's statements are its span's children: those for what it asks about, for the
// organization's state, and for the log of changes.
func expectStatements(t *testing.T, r *receiver, server *spans.Span) {
	t.Helper()
	names := map[string]int{}
	for _, span := range r.of(traceID) {
		if span.Kind == spans.Span_SPAN_KIND_CLIENT && string(span.ParentSpanId) == string(server.SpanId) {
			names[span.Name]++
		}
	}
	if names["SELECT activity"] != 1 || names["SELECT files"] != 1 || names["SELECT state"] != 1 || names["SELECT changes"] == 0 {
		t.Errorf("the statements' spans are %v", names)
	}
}
