package buckets_test

import (
	"testing"

	"github.com/orgstats/orgstats/clickhouse/engine/enginetest"
)

func TestMain(m *testing.M) { enginetest.Main(m) }
