package api

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"campusgate/server/auth"
	"campusgate/server/auth/sso"
)

// ticketCookie goes to the callbacks only.
const ticketCookie = "cg_login"

// ssoRoutes serves what a browser visits on its way to a sign-on service and
// back. A service adds parameters of its own to a callback, so these routes do
// not go through the library, and are documented by hand.
func (a *API) ssoRoutes() {
	for _, kind := range []string{"oidc", "cas"} {
		for _, r := range []struct {
			path, id, text string
			serve          func(http.ResponseWriter, *http.Request, string)
		}{
			{loginPath + "/" + kind + "/{id}", "begin-" + kind, "去统一身份认证 Go to a sign-on service", a.beginSSO},
			{loginPath + "/" + kind + "/{id}/callback", "end-" + kind, "从统一身份认证回来 Come back from a sign-on service", a.endSSO},
		} {
			a.mux.HandleFunc("GET "+r.path, func(w http.ResponseWriter, req *http.Request) { r.serve(w, req, kind) })
			a.OpenAPI().AddOperation(ssoOperation(r.path, r.id, r.text))
		}
	}
}

func ssoOperation(path, id, text string) *huma.Operation {
	op := &huma.Operation{
		OperationID: id, Method: http.MethodGet, Path: path, Summary: text,
		Parameters: []*huma.Param{{Name: "id", In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString}}},
		Responses:  map[string]*huma.Response{"302": {Description: "the service, or the page that was asked for"}},
	}
	for status, why := range map[string]string{
		"400": "this login was not begun here", "403": "refused", "404": "no such service", "500": "internal error", "503": "no answer from the service",
	} {
		op.Responses[status] = &huma.Response{Description: why, Content: map[string]*huma.MediaType{
			jsonType: {Schema: &huma.Schema{Ref: "#/components/schemas/Problem"}}, "text/html": {},
		}}
	}
	return op
}

func (a *API) beginSSO(w http.ResponseWriter, r *http.Request, kind string) {
	address, ticket, ok, err := "", "", false, error(nil)
	if a.SSO != nil {
		address, ticket, ok, err = a.SSO.Begin(r.Context(), kind, r.PathValue("id"), r.URL.Query().Get("to"))
	}
	switch {
	case err != nil:
		a.failSSO(w, r, err)
	case !ok:
		a.failSSO(w, r, fmt.Errorf("%w: %s", auth.ErrNoWay, kind))
	default:
		c := a.cookie(ticketCookie, loginPath, ticket)
		c.MaxAge = int(sso.TicketLife.Seconds())
		http.SetCookie(w, &c)
		http.Redirect(w, r, address, http.StatusFound)
	}
}

func (a *API) endSSO(w http.ResponseWriter, r *http.Request, kind string) {
	gone := a.cookie(ticketCookie, loginPath, "")
	gone.MaxAge = -1
	http.SetCookie(w, &gone) // a ticket is for one login
	if a.SSO == nil {
		a.failSSO(w, r, fmt.Errorf("%w: %s", auth.ErrNoWay, kind))
		return
	}
	id, ticket := r.PathValue("id"), ""
	if c, err := r.Cookie(ticketCookie); err == nil {
		ticket = c.Value
	}
	number, to, err := a.SSO.End(r.Context(), kind, id, ticket, r.URL.Query())
	if err != nil {
		a.failSSO(w, r, err)
		return
	}
	from := auth.Client{IP: host(r.RemoteAddr), Device: auth.Device(r.UserAgent())}
	if c, err := r.Cookie(auth.Cookie); err == nil {
		from.Cookie = c.Value
	}
	entry, err := a.Accounts.Enter(r.Context(), number, kind+":"+id, from)
	if err != nil {
		a.failSSO(w, r, err)
		return
	}
	c := a.sessionCookie(entry)
	http.SetCookie(w, &c)
	http.Redirect(w, r, to, http.StatusFound)
}

// failSSO tells people on a page of their own, since no page of ours is open
// behind a callback; and programs in JSON.
func (a *API) failSSO(w http.ResponseWriter, r *http.Request, err error) {
	p := a.problem(r.Context(), err)
	if errors.Is(err, sso.ErrUnreachable) || errors.Is(err, sso.ErrRefused) {
		a.Log.Warn("sign-on service", "request_id", p.RequestID, "err", err)
	}
	if !strings.Contains(r.Header.Get("Accept"), "text/html") {
		for name, values := range p.GetHeaders() {
			w.Header()[name] = values
		}
		a.write(w, p)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'sha256-"+ssoStyleHash+"'; frame-ancestors 'none'; base-uri 'none'")
	w.WriteHeader(p.status)
	if err := ssoPage.Execute(w, p); err != nil {
		a.Log.Debug("answer not written", "err", err)
	}
}

const ssoStyle = `body{font:18px/1.6 sans-serif;max-width:34rem;margin:4rem auto;padding:0 1rem;color:#1a1a1a;background:#fff}a{color:#0b5cad}p{margin:1rem 0}@media(prefers-color-scheme:dark){body{color:#eee;background:#111}a{color:#9cf}}`

// ssoStyleHash lets this one style through the policy.
var ssoStyleHash = func() string {
	sum := sha256.Sum256([]byte(ssoStyle))
	return base64.StdEncoding.EncodeToString(sum[:])
}()

var ssoPage = template.Must(template.New("").Parse(`<!doctype html>
<html lang="zh-CN"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>登录未完成 Not signed in</title><style>` + ssoStyle + `</style>
<main><h1>登录未完成 <span lang="en">Not signed in</span></h1>
<p>{{.Message}}</p><p><small>{{.Code}} {{.RequestID}}</small></p>
<p><a href="/m/">返回 <span lang="en">Back</span></a></p></main></html>
`))
