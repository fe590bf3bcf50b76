package sample

import "math"

// pick is one of several values and the part of the users that have it.
type pick struct {
	share float64
	json  string
}

// The shares of Legal and Finance are those of MetadataFilters.
var (
	departments = []pick{
		{0.30, `"Support"`},
		{0.25, `"Sales"`},
		{0.20, `"Engineering"`},
		{0.14, `"Marketing"`},
		{0.10, `"Finance"`},
		{0.01, `"Legal"`},
	}
	levels = []pick{{0.40, "1"}, {0.30, "2"}, {0.15, "3"}, {0.10, "4"}, {0.05, "5"}}
	betas  = []pick{{0.50, `,"beta":true`}, {0.25, `,"beta":false`}, {0.25, ""}}
	places = []pick{
		{0.34, `{"country":"US","city":"New York"}`},
		{0.18, `{"country":"IN","city":"Bengaluru"}`},
		{0.14, `{"country":"DE","city":"Köln"}`},
		{0.10, `{"country":"GB","city":"London"}`},
		{0.09, `{"country":"BR","city":"São Paulo"}`},
		{0.08, `{"country":"JP","city":"東京"}`},
		{0.05, `{"country":"NP"}`},
		{0.02, `{"country":"AU","city":"Darwin"}`},
	}
	extras = []pick{
		{0.60, ""},
		{0.20, `,"languages":["en"]`},
		{0.12, `,"languages":["en","hi"]`},
		{0.05, `,"team":{"name":"Über \"A\"","size":12,"fte":7.5}`},
		{0.03, `,"manager":null`},
	}
)

// member writes a member of an organization. All joined before the history begins.
func (g *generator) member(org *organization, rank int) {
	const longestMembership = 600 * millisPerDay
	g.counts.Members++
	g.add(`{"type":"member","organizationId":"`, org.id, `","userId":"`, org.users[rank],
		`","publicMetadata":{"department":`, choose(departments, spread(rank, math.Phi)),
		`,"level":`, choose(levels, spread(rank, math.Sqrt2)),
		`,"region":`, choose(places, g.fraction()),
		choose(betas, spread(rank, math.E)), choose(extras, g.fraction()),
		`},"updatedAt":"`, g.start-1-millis(g.below(longestMembership)), `"`)
	g.end()
}

// spread places ranks evenly over [0, 1) in every prefix of them (Weyl's sequence), so that shares hold among few users
// as among many, and among busy users as among quiet ones. Different irrational steps are independent.
func spread(rank int, step float64) float64 {
	_, fraction := math.Modf((float64(rank) + 0.5) * step)
	return fraction
}

func choose(picks []pick, at float64) string {
	for _, p := range picks {
		if at -= p.share; at < 0 {
			return p.json
		}
	}
	return picks[len(picks)-1].json
}
