package service

import (
	"encoding/json"
	"math"
	"strconv"
	"time"

	"github.com/valyala/fasthttp"
)

const jsonType = "application/json; charset=utf-8"

// respond writes a JSON answer. The value must be one that encoding/json can't fail on.
func respond(response *fasthttp.Response, status int, value any) error {
	body, err := json.Marshal(value)
	if err != nil {
		return err
	}
	response.SetStatusCode(status)
	response.SetBody(body)
	response.Header.SetContentType(jsonType)
	// Answers belong to one caller, so no shared cache may keep them.
	response.Header.Set(fasthttp.HeaderCacheControl, "private, no-cache")
	return nil
}

// respondFailure writes a failure and the headers that belong to its status.
func respondFailure(response *fasthttp.Response, f *failure) error {
	switch f.code {
	case codeUnauthorized:
		response.Header.Set(fasthttp.HeaderWWWAuthenticate, "Bearer")
	case codeTimeout:
		// RFC 9110 wants a 408's connection closed, so that nobody sends into one that the client has given up.
		response.SetConnectionClose()
	}
	if f.retry > 0 {
		response.Header.Set(fasthttp.HeaderRetryAfter, strconv.Itoa(seconds(f.retry)))
	}
	return respond(response, statuses[f.code], struct {
		Error   string    `json:"error"`
		Details []mistake `json:"details,omitempty"`
	}{f.sentence, f.details})
}

// seconds rounds up to the whole seconds that Retry-After has, at least one.
func seconds(d time.Duration) int { return max(1, int(math.Ceil(d.Seconds()))) }
