package service

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/orgstats/orgstats/clickhouse/engine/enginetest"
	"github.com/orgstats/orgstats/service/auth"
	"github.com/orgstats/orgstats/service/stats"
)

func TestErrorsOfWhatIsBehind(t *testing.T) {
	secret := errors.New("password of the database")
	for _, row := range []struct {
		why            string
		answer, verify error
		status         int
		sentence       string
		retry          string
	}{
		{"ClickHouse is away", fmt.Errorf("%w: %w", stats.ErrUnavailable, secret), nil, 503, responses[codeUnavailable].sentence, "5"},
		{"the keys are away", nil, fmt.Errorf("%w: %w", auth.ErrKeysUnavailable, secret), 503, responses[codeUnavailable].sentence, "5"},
		{"the query took too long", fmt.Errorf("%w: %w", stats.ErrTimeout, secret), nil, 408, responses[codeTimeout].sentence, ""},
		{"a deadline of one's own", fmt.Errorf("%w: %w", context.DeadlineExceeded, secret), nil, 408, responses[codeTimeout].sentence, ""},
		{"anything else is internal", secret, nil, 500, "Internal Server Error", ""},
		{"so is what the verifier does not explain", nil, secret, 500, "Internal Server Error", ""},
	} {
		t.Run(row.why, func(t *testing.T) {
			service := start(t, Config{
				Answerer: answererFunc(func(context.Context, stats.Request) (stats.Answer, error) {
					return stats.Answer{}, row.answer
				}),
				Authenticator: authenticatorFunc(func(context.Context, string) (auth.Caller, error) { return admin, row.verify }),
			})
			header := bearer("token")
			header.Set("X-Request-Id", "given-id")
			got := service.do(t, http.MethodGet, statsPath+"?"+day, header)
			if got.status != row.status || got.Error != row.sentence || got.header.Get("Retry-After") != row.retry {
				t.Errorf("got %d %s, Retry-After %q", got.status, got.body, got.header.Get("Retry-After"))
			}
			if strings.Contains(got.body, "password") {
				t.Errorf("the cause was shown: %s", got.body)
			}
			enginetest.Await(t, "the cause is logged with the request's id", func() bool {
				log := service.log.String()
				return strings.Contains(log, secret.Error()) && strings.Contains(log, `"request_id":"given-id"`)
			})
		})
	}
}

func TestRequestTimeout(t *testing.T) {
	service := start(t, Config{
		RequestTimeout: 20 * time.Millisecond,
		Answerer: answererFunc(func(ctx context.Context, _ stats.Request) (stats.Answer, error) {
			<-ctx.Done()
			return stats.Answer{}, errors.New("the driver's own words for it")
		}),
	})
	if got := service.ask(t, admin, day); got.status != http.StatusRequestTimeout || !strings.Contains(got.Error, "too long") {
		t.Errorf("got %d %s, want 408", got.status, got.body)
	}
}
