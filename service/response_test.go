package service

import "testing"

func TestMatches(t *testing.T) {
	for _, test := range []struct {
		reason, header string
		want           bool
	}{
		{"no header", "", false},
		{"the tag itself", `"abc"`, true},
		{"weakly", `W/"abc"`, true},
		{"among others", `"x", "abc" ,"y"`, true},
		{"another", `"abcd"`, false},
		{"without quotes it is no tag", `abc`, false},
		{"any", `*`, true},
	} {
		if got := matches(test.header, `"abc"`); got != test.want {
			t.Errorf("%s: %q matches: %t, want %t", test.reason, test.header, got, test.want)
		}
	}
}
