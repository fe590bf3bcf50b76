package service

import (
	"crypto/rand"
	"encoding/hex"
	"regexp"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// What callers may send is short and harmless wherever it is copied to: headers, logs, ClickHouse's query log.
var requestIDPattern = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// requestID is the id that the caller sent in X-Request-Id, if it is a good one, else a new one.
func requestID(header *fasthttp.RequestHeader) string {
	if id := header.Peek(fiber.HeaderXRequestID); requestIDPattern.Match(id) {
		return string(id)
	}
	return newRequestID()
}

// newRequestID makes 16 hexadecimal digits.
func newRequestID() string {
	var id [8]byte
	_, _ = rand.Read(id[:]) // never fails
	return hex.EncodeToString(id[:])
}
