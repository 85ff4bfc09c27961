package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"campusgate/server/auth"
)

// errCrossOrigin: a page of another site makes a browser call us.
var errCrossOrigin = errors.New("called from another site")

type callerKey struct{}

type clientKey struct{}

// caller is who makes an authorized call.
func caller(ctx context.Context) auth.Caller {
	c, _ := ctx.Value(callerKey{}).(auth.Caller)
	return c
}

// client is where any call comes from.
func client(ctx context.Context) auth.Client {
	c, _ := ctx.Value(clientKey{}).(auth.Client)
	return c
}

// person is who makes the call. A token is nobody: auth.ErrNoPerson.
func (a *API) person(ctx context.Context) (string, error) {
	id := caller(ctx).Person
	if id == "" {
		return "", auth.ErrNoPerson
	}
	return id, nil
}

// authorize lets a call through that needs nobody, or whose caller has the scope
// of its operation.
func (a *API) authorize(ctx huma.Context, next func(huma.Context)) {
	r := routeOf(ctx.Operation())
	from := auth.Client{IP: host(ctx.RemoteAddr()), Device: auth.Device(ctx.Header("User-Agent"))}
	if c, err := huma.ReadCookie(ctx, auth.Cookie); err == nil {
		from.Cookie = c.Value
	}
	ctx = huma.WithValue(ctx, clientKey{}, from)
	token := bearerOf(ctx)
	if token == "" {
		if p := a.foreign(ctx); p != nil {
			a.refuse(ctx, p)
			return
		}
	}
	if r.scope == public {
		a.bounded(ctx, r, next)
		return
	}
	who, err := a.identify(ctx, token, from)
	if err == nil {
		err = r.admits(who)
	}
	if err != nil {
		a.refuse(ctx, a.problem(ctx.Context(), err))
		return
	}
	a.bounded(huma.WithValue(ctx, callerKey{}, who), r, next)
}

// bounded goes on with a body of a size that the route takes. The library sees to
// that too, but not where a form is uploaded.
func (a *API) bounded(ctx huma.Context, r route, next func(huma.Context)) {
	req, w := humago.Unwrap(ctx)
	limit := cmp.Or(r.body, maxBody)
	if req.ContentLength > limit {
		a.refuse(ctx, libraryProblem(ctx.Context(), http.StatusRequestEntityTooLarge, nil))
		return
	}
	req.Body = http.MaxBytesReader(w, req.Body, limit)
	next(ctx)
}

func bearerOf(ctx huma.Context) string {
	if scheme, rest, ok := strings.Cut(ctx.Header("Authorization"), " "); ok && strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(rest)
	}
	return ""
}

// identify finds the caller by token or session. A token goes first: a page
// cannot have put it there by accident.
func (a *API) identify(ctx huma.Context, token string, from auth.Client) (auth.Caller, error) {
	if token == "" && from.Cookie != "" {
		return a.Accounts.Check(ctx.Context(), from.Cookie)
	}
	return a.Auth.Check(ctx.Context(), token, from.IP)
}

// foreign refuses a call without a token, for which a browser may have added a
// cookie by itself: one that another site has caused, or whose body is of a type
// that another site may send without asking.
func (a *API) foreign(ctx huma.Context) *Problem {
	req, _ := humago.Unwrap(ctx)
	if a.origin.Check(req) != nil {
		return a.problem(ctx.Context(), errCrossOrigin)
	}
	body := ctx.Operation().RequestBody
	if body == nil || req.ContentLength == 0 {
		return nil
	}
	kind, _, err := mime.ParseMediaType(ctx.Header("Content-Type"))
	if err != nil || body.Content[kind] == nil {
		return libraryProblem(ctx.Context(), http.StatusUnsupportedMediaType, nil)
	}
	return nil
}

// admits says whether a caller may make calls of this route.
func (r route) admits(c auth.Caller) error {
	switch {
	case c.MustChange && !r.initial:
		return auth.ErrMustChange
	case c.May(r.scope), r.also != "" && c.May(r.also), r.holder && c.Person != "":
		return nil
	case r.scope == auth.Self:
		return auth.ErrNoPerson
	}
	return fmt.Errorf("%w: %s", auth.ErrForbidden, r.scope)
}
