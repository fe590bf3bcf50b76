package auth

import "testing"

func TestBearerToken(t *testing.T) {
	for header, want := range map[string]string{
		"Bearer a.b.c":         "a.b.c",
		"bearer a.b.c":         "a.b.c",
		"BEARER   a.b.c  ":     "a.b.c",
		"":                     "",
		"Bearer":               "",
		"Bearer ":              "",
		"a.b.c":                "",
		"Basic a.b.c":          "",
		"Bearera.b.c":          "",
		"Bearer: a.b.c":        "",
		"Bearer\ta.b.c":        "",
		"Bearer a.b.c d.e.f":   "",
		"Bearer a.b.c,d.e.f":   "",
		"Bearer a.b.c\td.e.f":  "",
		"Bearer Bearer a.b.c":  "",
		" Bearer a.b.c":        "",
		"Bearer a, Bearer b.c": "",
	} {
		got, err := BearerToken(header)
		if want != "" && (err != nil || got != want) {
			t.Errorf("%q: got %q, %v", header, got, err)
		}
		if want == "" {
			wantReason(t, err, ReasonHeader)
		}
	}
}
