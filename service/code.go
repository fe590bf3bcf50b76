package service

import (
	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// code says what kind of failure a request met; statuses gives its HTTP status.
type code int

const (
	codeInternal code = iota
	codeInvalid
	codeUnauthorized
	codeForbidden
	codeNotFound
	codeMethodNotAllowed
	codeTimeout
	codeBodyTooLarge
	codeURLTooLong
	codeHeadTooLarge
	codeExpectation
	codeTooOften
	codeHungUp
	codeCoding
	codeVersion
	codeUnavailable
	codeBusy
)

var statuses = map[code]int{
	codeInternal:         fasthttp.StatusInternalServerError,
	codeInvalid:          fasthttp.StatusBadRequest,
	codeUnauthorized:     fasthttp.StatusUnauthorized,
	codeForbidden:        fasthttp.StatusForbidden,
	codeNotFound:         fasthttp.StatusNotFound,
	codeMethodNotAllowed: fasthttp.StatusMethodNotAllowed,
	codeTimeout:          fasthttp.StatusRequestTimeout,
	codeBodyTooLarge:     fasthttp.StatusRequestEntityTooLarge,
	codeURLTooLong:       fasthttp.StatusRequestURITooLong,
	codeHeadTooLarge:     fasthttp.StatusRequestHeaderFieldsTooLarge,
	codeExpectation:      fasthttp.StatusExpectationFailed,
	codeTooOften:         fasthttp.StatusTooManyRequests,
	codeHungUp:           499, // nginx's number for a client that went away; nobody reads it but the log's readers
	codeCoding:           fasthttp.StatusNotImplemented,
	codeVersion:          fasthttp.StatusHTTPVersionNotSupported,
	codeUnavailable:      fasthttp.StatusServiceUnavailable,
	codeBusy:             fasthttp.StatusServiceUnavailable,
}

// sentences are what callers read where nothing more precise is known or may be told.
var sentences = map[code]string{
	codeInternal:         "Internal Server Error",
	codeInvalid:          "The request is not valid HTTP.",
	codeUnauthorized:     "Unauthorized",
	codeForbidden:        "Unauthorized: User is not an admin in this organization",
	codeNotFound:         "There is nothing at this path.",
	codeMethodNotAllowed: "This path answers GET and HEAD only.",
	codeTimeout:          "The request took too long. Ask for a shorter window, or again later.",
	codeBodyTooLarge:     "The request's body is too large. No request needs one.",
	codeURLTooLong:       "The request's URL is too long.",
	codeHeadTooLarge:     "The request's URL and headers are too large together.",
	codeHungUp:           "The caller closed the connection.",
	codeUnavailable:      "The service can't answer now. Try again in a few seconds.",
	codeBusy:             "The service has too much to do just now. Try again in a few seconds.",
}

// routingCode is the code of what fiber's router returns where no route fits.
func routingCode(err *fiber.Error) code {
	switch err.Code {
	case fiber.StatusNotFound:
		return codeNotFound
	case fiber.StatusMethodNotAllowed:
		return codeMethodNotAllowed
	}
	return codeInternal
}
