package api

import (
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// address is where the caller reached this server, so that links in an answer
// lead to the same place. It is what the caller says, and only the caller gets
// it back.
type address struct {
	scheme, host string
}

// Resolve is called by the HTTP library before the handler.
func (at *address) Resolve(ctx huma.Context) []error {
	at.scheme, at.host = "http", ctx.Host()
	if ctx.TLS() != nil {
		at.scheme = "https"
	}
	return nil
}

// verification gives the address of the page behind a static code.
func (at address) verification(code string) string {
	_, segment, ok := strings.Cut(code, "/V/")
	if !ok {
		return ""
	}
	return at.scheme + "://" + at.host + "/V/" + segment
}
