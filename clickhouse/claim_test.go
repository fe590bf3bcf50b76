package clickhouse_test

import (
	"bufio"
	"context"
	"errors"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/clickhouse/engine/enginetest"
)

func take(t *testing.T, url, name, holder string) *clickhouse.Claim {
	t.Helper()
	claim, err := clickhouse.TakeClaim(t.Context(), url, name, holder)
	if err != nil {
		t.Fatal(err)
	}
	return claim
}

// refused tries to take a claim that another process holds, and returns the expected error.
func refused(t *testing.T, url, name string) *clickhouse.HeldError {
	t.Helper()
	claim, err := clickhouse.TakeClaim(t.Context(), url, name, "the second one")
	if err == nil {
		claim.Release()
		t.Fatal("two hold the same claim")
	}
	held, ok := errors.AsType[*clickhouse.HeldError](err)
	if !ok {
		t.Fatal(err)
	}
	return held
}

// The driver aborts a statement after some time, five minutes by default, even while rows arrive.
func TestClaimOutlastsTheDriversPatience(t *testing.T) {
	claim := take(t, enginetest.Database(t)+"?read_timeout=1s", "test", "a holder")
	select {
	case <-claim.Lost():
		t.Errorf("the claim was lost: %v", claim.Err())
	case <-time.After(2500 * time.Millisecond):
	}
	claim.Release()
}

func TestClaimIsHeldByOne(t *testing.T) {
	url := enginetest.Database(t)
	began := time.Now()
	first := take(t, url, "test", "process 12 on a-host")
	taken := time.Now()

	held := refused(t, url, "test")
	if held.Holder != "process 12 on a-host" {
		t.Errorf("the holder is said to be %q", held.Holder)
	}
	if held.Since.Before(began.Add(-2*time.Second)) || held.Since.After(taken.Add(2*time.Second)) { // of whole seconds
		t.Errorf("it is said to be held since %v, and was taken between %v and %v", held.Since, began, taken)
	}
	select {
	case <-first.Lost():
		t.Fatalf("the refusal cost the first one its claim: %v", first.Err())
	default:
	}

	take(t, url, "another", "a holder").Release()
	first.Release()
	<-first.Lost()
	take(t, url, "test", "the next one").Release()
}

func TestClaimsOfTwoDatabasesAreTwo(t *testing.T) {
	e := enginetest.Start(t)
	if err := open(t, e.URL()).Exec(t.Context(), "CREATE DATABASE other"); err != nil {
		t.Fatal(err)
	}
	defer take(t, e.URL(), "test", "first").Release()
	other := e.Owner()
	other.Database = "other"
	take(t, other.URL(), "test", "second").Release()
}

func TestClaimIsWaitedForAWhile(t *testing.T) {
	url := enginetest.Database(t)
	first := take(t, url, "test", "first")
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	// It is the driver's error that comes if the time ends while a connection is being opened.
	if _, err := clickhouse.TakeClaim(ctx, url, "test", "second"); err == nil || ctx.Err() == nil {
		t.Errorf("waiting past the context's end gave %v", err)
	}
	taken := make(chan error, 1)
	go func() {
		claim, err := clickhouse.TakeClaim(t.Context(), url, "test", "third")
		if err == nil {
			claim.Release()
		}
		taken <- err
	}()
	first.Release()
	if err := <-taken; err != nil {
		t.Errorf("a claim that was given back meanwhile was refused: %v", err)
	}
}

func TestClaimOfAKilledProcessEnds(t *testing.T) {
	url := enginetest.Database(t)
	holder := exec.Command(os.Args[0])
	holder.Env = append(os.Environ(), holderVariable+"="+url)
	output, err := holder.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := holder.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { holder.Process.Kill() })
	if line, err := bufio.NewReader(output).ReadString('\n'); line != "<nil>\n" {
		t.Fatalf("the process could not take the claim: %s %v", line, err)
	}
	if held := refused(t, url, "test"); held.Holder != "the process to kill" {
		t.Errorf("the holder is said to be %q", held.Holder)
	}
	if err := holder.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	holder.Wait()
	take(t, url, "test", "the next one").Release()
}

func TestHolderLearnsThatItsClaimIsLost(t *testing.T) {
	e := enginetest.Start(t)
	claim := take(t, e.URL(), "test", "holder")
	defer claim.Release()
	statement := "KILL QUERY WHERE query_id = 'orgstats-test-' || currentDatabase() SYNC"
	if err := open(t, e.URL()).Exec(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
	select {
	case <-claim.Lost():
	case <-time.After(enginetest.Patience):
		t.Fatal("the holder does not learn it")
	}
	if claim.Err() == nil {
		t.Error("nothing says why")
	}
}
