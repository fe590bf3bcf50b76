package stats

import (
	"context"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/orgstats/orgstats/clickhouse"
)

// usersKept is how many users' numbers stay in memory.
const usersKept = 100_000

// userNumbers remembers the dense numbers of users who were asked about: a number, once given, never changes.
type userNumbers struct{ known *lru.Cache[userKey, uint32] }

type userKey struct{ orgID, userID string }

func newUserNumbers() userNumbers {
	known, err := lru.New[userKey, uint32](usersKept)
	if err != nil {
		panic(err) // it refuses sizes below 1
	}
	return userNumbers{known}
}

// number is the number of the one user whom a plan looks up, 0 if it looks up none or several, or one who has no number
// yet.
func (u userNumbers) number(ctx context.Context, conn clickhouse.Conn, p Plan) (uint32, error) {
	q := p.Question
	if p.Kind() != KindActivity || q.UserID == "" || q.byMetadata() {
		return 0, nil
	}
	key := userKey{q.OrgID, q.UserID}
	if no, ok := u.known.Get(key); ok {
		return no, nil
	}
	no, err := readUserNumber(ctx, conn, key)
	if err == nil && no != 0 {
		u.known.Add(key, no)
	}
	return no, err
}

// A user has several rows, all the same, until they are merged.
const userNumberSQL = `
SELECT user_no
FROM users
PREWHERE org_id = {org_id:String} AND user_id = {user_id:String}
LIMIT 1
SETTINGS max_threads = 1`

// readUserNumber reads a user's number, 0 for one who has none.
func readUserNumber(ctx context.Context, conn clickhouse.Conn, key userKey) (no uint32, err error) {
	params := clickhouse.Params{}
	params.String("org_id", key.orgID)
	params.String("user_id", key.userID)
	rows, err := conn.Query(clickhouse.Named(clickhouse.WithParams(ctx, params), KindState), userNumberSQL)
	if err != nil {
		return 0, err
	}
	defer func() { _ = rows.Close() }()
	if rows.Next() {
		if err := rows.Scan(&no); err != nil {
			return 0, err
		}
	}
	return no, rows.Err()
}
