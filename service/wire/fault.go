package wire

// Kind says which sort of answer a fault is owed.
type Kind int

const (
	Malformed    Kind = iota // what HTTP does not allow: 400
	BodyTooLarge             // 413
	Expectation              // an Expect that nobody here can meet: 417
	HeadTooLarge             // 431
	Coding                   // a transfer coding that is not understood: 501
	Version                  // a major version that is not spoken: 505
)

// Fault is why a request can't be answered. Its sentence quotes nothing of the request, which may hold a token.
type Fault struct {
	Kind     Kind
	Sentence string
}

func (f *Fault) Error() string { return f.Sentence }

func malformed(sentence string) *Fault { return &Fault{Malformed, sentence} }

// What is wrong with the lines of a head, a trailer or a chunked body.
var (
	errEmptyLines = malformed("The request begins with too many empty lines. Begin with the request line.")
	errBareLF     = malformed("A line ends with LF alone. End every line with CR LF.")
	errBareCR     = malformed("A CR stands without the LF that ends a line. Leave it out, or end the line with CR LF.")

	errMethod = malformed("The request does not begin with an HTTP method. Speak plain HTTP/1.1 here, and begin with a line such as " +
		"GET /livez HTTP/1.1.")
	errRequestLine = malformed("The request line is not a method, a URL and HTTP/1.1 with one space between them. Write a space in the URL " +
		"as %20.")
	errTargetByte = malformed("The URL contains a control character. Percent-encode it.")
	errFragment   = malformed("The URL contains #, which does not belong into a request. Write %23 if it is part of the path.")
	errTarget     = malformed("The URL of the request is neither a path that begins with / nor a whole URL such as http://host/path.")
	errVersion    = &Fault{Version, "This version of HTTP is not spoken here. Use HTTP/1.1."}

	errFolded = malformed("A header line begins with a space or a tab. Folded header lines are obsolete: write each header in one line.")
	errNoName = malformed("A header line has no name before its colon. Give it one, or leave the line out.")
	errName   = malformed("The name of a header contains a character that is not allowed there. Use letters, digits and hyphens.")
	errSpace  = malformed("A header's name is followed by a space or a tab. Write the colon directly behind the name.")
	errColon  = malformed("A header line has no colon. Write each header as Name: value.")
	errValue  = malformed("A header's value contains a control character. Leave it out, or encode it.")
	errFields = &Fault{HeadTooLarge, "The request has too many headers. Send 256 at most."}
)

// What is wrong with headers that decide where the request ends, or for whom it is.
var (
	errNoHost   = malformed("The request has no Host header. HTTP/1.1 needs one.")
	errTwoHosts = malformed("The request has more than one Host header. Send one.")
	errHost     = malformed("The host is not a name or an address with at most a port behind it. Write it as in Host: example.com:8080.")

	errLength = malformed("The Content-Length is not a number of bytes. Write it in decimal digits, or leave it out: no request needs a body.")
	errTwice  = malformed("The request says more than once how long its body is. Send one Content-Length or one Transfer-Encoding, or none.")
	errCoding = malformed("The Transfer-Encoding does not end in chunked, and only once. Send Transfer-Encoding: chunked, or none: no request " +
		"needs a body.")
	errCodingBefore11 = malformed("Before HTTP/1.1 there is no Transfer-Encoding. Leave it out.")
	errUnknownCoding  = &Fault{Coding, "No transfer coding but chunked is understood here. Send Transfer-Encoding: chunked, or none."}
	errExpectation    = &Fault{Expectation, "Nothing but Expect: 100-continue can be expected here. Leave the header out."}
	errBody           = &Fault{BodyTooLarge, "The request's body is too large. No request needs one."}

	errChunk = malformed("The body is not chunked as its Transfer-Encoding says. Send every chunk as its size in hexadecimal digits, CR LF, the " +
		"bytes, CR LF, and at the end one of size 0.")
)

// ErrCut is the fault of a request that ended before all of it had arrived.
var ErrCut = malformed("The request ended before all of it had arrived. Send the whole of it.")
