// Package openapi describes the service's interface: as an OpenAPI 3.1 document for programs, and as a page for people
// that is made from it.
package openapi

import (
	_ "embed"
	"sync"
)

// Document is the description, written by hand in JSON. The contract test holds it against the service.
//
//go:embed openapi.json
var Document []byte

// Page is the description as HTML, one file that needs no other.
var Page = sync.OnceValue(func() []byte { return render(Document) })
