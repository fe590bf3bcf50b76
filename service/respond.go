package service

import (
	"encoding/json"

	"github.com/valyala/fasthttp"
)

const (
	// retryAfter is how many seconds a caller should wait after a 503: engines and key servers are back in seconds.
	retryAfter = "5"

	jsonType = "application/json; charset=utf-8"
)

// respond writes a JSON answer. The value must be one that encoding/json can't fail on.
func respond(response *fasthttp.Response, status int, value any) error {
	body, err := json.Marshal(value)
	if err != nil {
		return err
	}
	response.SetStatusCode(status)
	response.SetBody(body)
	response.Header.SetContentType(jsonType)
	response.Header.Set(fasthttp.HeaderXContentTypeOptions, "nosniff")
	// Answers belong to one caller, so no shared cache may keep them.
	response.Header.Set(fasthttp.HeaderCacheControl, "private, no-cache")
	return nil
}

// respondFailure writes a failure and the headers that belong to its status.
func respondFailure(response *fasthttp.Response, f *failure) error {
	switch f.code {
	case codeUnauthorized:
		response.Header.Set(fasthttp.HeaderWWWAuthenticate, "Bearer")
	case codeUnavailable:
		response.Header.Set(fasthttp.HeaderRetryAfter, retryAfter)
	case codeTimeout:
		// RFC 9110 wants a 408's connection closed, so that nobody sends into one that the client has given up.
		response.SetConnectionClose()
	}
	return respond(response, statuses[f.code], struct {
		Error   string    `json:"error"`
		Details []mistake `json:"details,omitempty"`
	}{f.sentence, f.details})
}
