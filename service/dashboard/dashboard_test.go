package dashboard

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
)

func TestPageNamesItsEmbedders(t *testing.T) {
	if _, err := bundle.ReadFile("bundle/index.html"); err != nil {
		t.Skip("there is no bundle: make web")
	}
	page := string(Page([]string{"https://a.example", "https://b.example:8443"}))
	if !strings.Contains(page, `<meta name="embed-origins" content="https://a.example https://b.example:8443">`) {
		t.Errorf("the page does not name them: %s", page)
	}
	if page := string(Page(nil)); !strings.Contains(page, `content="">`) {
		t.Errorf("the page names some: %s", page)
	}
}

// A program without the bundle has a page that says how to make it.
func TestPlaceholderSaysHowToMakeThePage(t *testing.T) {
	text, err := bundle.ReadFile(placeholder)
	if err != nil || !bytes.Contains(text, []byte("make web")) {
		t.Errorf("%v: %s", err, text)
	}
}

func TestPolicyLetsEmbeddersOnlyFrameThePage(t *testing.T) {
	for _, row := range []struct {
		embedders []string
		want      string
	}{
		{nil, "frame-ancestors 'none'"},
		{[]string{"https://a.example", "https://b.example"}, "frame-ancestors https://a.example https://b.example"},
	} {
		policy := Policy(row.embedders)
		if !strings.HasSuffix(policy, "; "+row.want) || strings.Contains(policy, "unsafe") {
			t.Errorf("%v: the policy is %s", row.embedders, policy)
		}
	}
}

// Everything that the page loads is an asset, and all together is small.
func TestPageLoadsOnlyAssets(t *testing.T) {
	page := Page(nil)
	size := len(page)
	for _, asset := range Assets() {
		size += min(len(asset.Body), max(len(asset.Compressed), 1<<10))
		if asset.Type == "" {
			t.Errorf("an asset has no type: %.100s", asset.Body)
		}
	}
	if size > 250_000 {
		t.Errorf("the page has %d bytes compressed", size)
	}
	for _, found := range regexp.MustCompile(`(?:src|rel="[a-z]+" href)="([^"]*)"`).FindAllSubmatch(page, -1) {
		name, isAsset := strings.CutPrefix("/"+string(found[1]), AssetsPath)
		if asset, ok := Assets()[name]; !isAsset || !ok || !asset.Lasting {
			t.Errorf("the page loads %s, which is no lasting asset", found[1])
		}
	}
	if regexp.MustCompile(`<style|<script[^>]*>[^<]|\son\w+=`).Match(page) {
		t.Errorf("the page has scripts or styles of its own: %s", page)
	}
}
