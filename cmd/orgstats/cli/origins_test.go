package cli

import (
	"strings"
	"testing"
)

// What is no origin would be compared with nothing, or say more in the page's policy than one origin.
func TestOrigins(t *testing.T) {
	good := []string{"https://app.example.com", "http://localhost:3000", "https://[::1]:8443", "app://embedder"}
	if all := notOrigins("--embed-origins", good); len(all) > 0 {
		t.Errorf("good origins are mistakes: %v", all)
	}
	for _, bad := range []string{
		"", "*", "app.example.com", "https://app.example.com/", "https://*.example.com", "https://a.example;script-src *",
		"https://a.example https://b.example", "https://user@a.example", "https://a.example?", "https://a'b", "data:text/html",
	} {
		all := notOrigins("--embed-origins", []string{bad})
		if len(all) != 1 || !strings.Contains(all[0].Error(), "--embed-origins has") {
			t.Errorf("%q is taken for an origin: %v", bad, all)
		}
	}
}
