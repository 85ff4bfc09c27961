package api

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"campusgate/server/auth"
)

const (
	bearer   = "bearer"
	session  = "session"
	jsonType = "application/json"
	prefix   = "/api/v1"

	// The largest body of any call is an enrolment or a token's scopes.
	maxBody = 32 << 10
)

// public marks the few operations that need no token.
const public auth.Scope = ""

// route is one operation.
type route struct {
	method, path string
	scope        auth.Scope
	id           string     // operationId
	text         string     // what it does, in both languages
	status       int        // of success; 0 = 200
	errors       []int      // beside those that every operation can give
	holder       bool       // a person in a session is let in without the scope; the handler checks that the thing is theirs
	initial      bool       // open also to who must change the password first
	media        string     // content types of a success that is not JSON, with spaces between
	body         int64      // largest request; 0 = maxBody
	also         auth.Scope // lets in as scope does; "" = none
	upload       []string   // files of a form that the handler reads as it comes, in this order
}

// mux remembers its patterns, so that a test can hold them against the
// document.
type mux struct {
	*http.ServeMux
	patterns []string
}

func (m *mux) HandleFunc(pattern string, h func(http.ResponseWriter, *http.Request)) {
	m.patterns = append(m.patterns, pattern)
	m.ServeMux.HandleFunc(pattern, h)
}

// add serves and documents an operation. What do returns as an error becomes a
// problem here, so that no handler has to think about it.
func add[I, O any](a *API, r route, do func(context.Context, *I) (*O, error)) {
	op := huma.Operation{
		OperationID: r.id, Method: r.method, Path: r.path, Summary: r.text, DefaultStatus: r.status,
		MaxBodyBytes: cmp.Or(r.body, maxBody), Errors: r.errors, Metadata: map[string]any{session: r},
	}
	op.Errors = append(op.Errors, http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusServiceUnavailable)
	if r.scope == public && r.method != http.MethodGet {
		op.Errors = append(op.Errors, http.StatusForbidden, http.StatusTooManyRequests)
	}
	if r.scope != public {
		for _, scope := range []auth.Scope{r.scope, r.also} {
			if scope == "" {
				continue
			}
			op.Security = append(op.Security, map[string][]string{session: {string(scope)}})
			if scope != auth.Self { // which a token never has
				op.Security = append(op.Security, map[string][]string{bearer: {string(scope)}})
			}
		}
		op.Errors = append(op.Errors, http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests)
	}
	if r.method != http.MethodGet {
		op.Errors = append(op.Errors, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	}
	if r.media != "" {
		content := map[string]*huma.MediaType{}
		for _, media := range strings.Fields(r.media) {
			content[media] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}
		}
		op.Responses = map[string]*huma.Response{"200": {Description: http.StatusText(http.StatusOK), Content: content}}
	}
	slices.Sort(op.Errors)
	op.Errors = slices.Compact(op.Errors)
	huma.Register(a.huma, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := do(ctx, in)
		if err != nil {
			return nil, a.problem(ctx, err)
		}
		return out, nil
	})
	if r.upload != nil { // after it was registered, or it would be read before the handler
		operations(a.OpenAPI().Paths[r.path])[r.method].RequestBody = form(r.upload)
	}
}

// form documents files.
func form(files []string) *huma.RequestBody {
	s := &huma.Schema{Type: huma.TypeObject, Properties: map[string]*huma.Schema{}, Required: files}
	for _, name := range files {
		s.Properties[name] = &huma.Schema{Type: huma.TypeString, Format: "binary"}
	}
	return &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"multipart/form-data": {Schema: s}}}
}

// refuse answers with a problem from a middleware.
func (a *API) refuse(ctx huma.Context, p *Problem) {
	for name, values := range p.GetHeaders() {
		for _, v := range values {
			ctx.SetHeader(name, v)
		}
	}
	ctx.SetHeader("Content-Type", jsonType)
	ctx.SetStatus(p.status)
	if err := strictJSON.Marshal(ctx.BodyWriter(), p); err != nil {
		a.Log.Debug("answer not written", "err", err)
	}
}

// routeOf gives what add was told of an operation.
func routeOf(op *huma.Operation) route {
	r, _ := op.Metadata[session].(route)
	return r
}

// checkDocument refuses an operation without a documented scope that is not
// one of those that are public on purpose.
func (a *API) checkDocument() error {
	for path, item := range a.OpenAPI().Paths {
		for method, op := range operations(item) {
			if routeOf(op).scope == public && !slices.Contains(publicPaths, path) {
				return fmt.Errorf("api: %s %s asks for no scope", method, path)
			}
		}
	}
	return nil
}

// operations gives the operations of a path by method.
func operations(item *huma.PathItem) map[string]*huma.Operation {
	all := map[string]*huma.Operation{
		http.MethodGet: item.Get, http.MethodPost: item.Post, http.MethodPut: item.Put,
		http.MethodPatch: item.Patch, http.MethodDelete: item.Delete,
	}
	for method, op := range all {
		if op == nil {
			delete(all, method)
		}
	}
	return all
}
