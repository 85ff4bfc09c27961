package api

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"campusgate/server/auth"
	"campusgate/server/recharge"
)

const loginPath = prefix + "/login"

// Longer than the life of any session: the server knows when it is over.
const cookieAge = 400 * 24 * 3600

// Ways is how one may sign in.
type Ways struct {
	Phone    bool     `json:"phone" doc:"phone and one-time code"`
	Password bool     `json:"password" doc:"number and password"`
	OIDC     []WayRef `json:"oidc" doc:"sign-on services, OpenID Connect"`
	CAS      []WayRef `json:"cas" doc:"sign-on services, CAS"`
	Demo     bool     `json:"demo" doc:"codes are not sent but shown where the server runs"`
	Site     string   `json:"site" doc:"name of the campus"`
}

// WayRef names a sign-on service.
type WayRef struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// CodeSent is the answer to every phone, whoever's it is.
type CodeSent struct {
	ResendAfter int `json:"resend_after" doc:"seconds until the phone gets another code"`
	ExpiresIn   int `json:"expires_in" doc:"seconds that this one is good"`
}

// LoggedIn says who has just signed in.
type LoggedIn struct {
	Me Me `json:"me"`
}

type waysOutput struct{ Body Ways }

type codeInput struct {
	Body struct {
		Phone string `json:"phone" maxLength:"32"`
	}
}

type codeOutput struct{ Body CodeSent }

type phoneLoginInput struct {
	Body struct {
		Phone string `json:"phone" maxLength:"32"`
		Code  string `json:"code" maxLength:"16"`
	}
}

type passwordLoginInput struct {
	Body struct {
		Number   string `json:"number" maxLength:"64" doc:"staff, student or card number"`
		Password string `json:"password" maxLength:"512"`
	}
}

type linkInput struct {
	Body struct {
		Key      string `json:"key" maxLength:"128" doc:"from the link that gateserver init printed"`
		Number   string `json:"number" maxLength:"64"`
		Name     string `json:"name" maxLength:"512"`
		Password string `json:"password" maxLength:"512"`
	}
}

type loginOutput struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
	Body      LoggedIn
}

type logoutOutput struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
}

func (a *API) loginRoutes() {
	add(a, route{
		method: http.MethodGet, path: loginPath + "/ways", scope: public, id: "login-ways", text: "登录方式 Ways to sign in",
	}, a.loginWays)
	add(a, route{
		method: http.MethodPost, path: loginPath + "/code", scope: public, id: "send-login-code", status: http.StatusAccepted,
		text: "发送登录验证码 Send a code to sign in with", errors: []int{http.StatusNotFound},
	}, a.sendLoginCode)
	add(a, route{
		method: http.MethodPost, path: loginPath + "/phone", scope: public, id: "login-phone",
		text: "手机号登录 Sign in by phone", errors: []int{http.StatusNotFound},
	}, a.loginPhone)
	add(a, route{
		method: http.MethodPost, path: loginPath + "/password", scope: public, id: "login-password",
		text: "密码登录 Sign in by number and password",
	}, a.loginPassword)
	add(a, route{
		method: http.MethodPost, path: loginPath + "/link", scope: public, id: "redeem-link",
		text:   "首个管理员 Become the first administrator, by the link of gateserver init",
		errors: []int{http.StatusNotFound, http.StatusConflict, http.StatusGone},
	}, a.redeemLink)
	add(a, route{
		method: http.MethodPost, path: prefix + "/logout", scope: auth.Self, id: "logout", status: http.StatusNoContent,
		text: "退出登录 Sign out", initial: true, errors: []int{http.StatusNotFound},
	}, a.logout)
}

func (a *API) loginWays(context.Context, *struct{}) (*waysOutput, error) {
	out := &waysOutput{Ways{
		Phone: a.Accounts.Texter != nil, Password: true, OIDC: []WayRef{}, CAS: []WayRef{}, Demo: a.Demo, Site: a.Site,
	}}
	if a.SSO == nil {
		return out, nil
	}
	for _, p := range a.SSO.Providers {
		ref := WayRef{p.ID(), p.Name()}
		if p.Kind() == "oidc" {
			out.Body.OIDC = append(out.Body.OIDC, ref)
		} else {
			out.Body.CAS = append(out.Body.CAS, ref)
		}
	}
	return out, nil
}

func (a *API) sendLoginCode(ctx context.Context, in *codeInput) (*codeOutput, error) {
	return a.sending(ctx, func() error { return a.Accounts.SendCode(ctx, in.Body.Phone) })
}

// sending counts the codes that one address has sent: they cost money, and annoy
// whoever gets them.
func (a *API) sending(ctx context.Context, send func() error) (*codeOutput, error) {
	from := client(ctx).IP
	if a.codes.shut(from) {
		return nil, auth.ErrTooMany
	}
	a.codes.failed(from)
	if err := send(); err != nil {
		if errors.Is(err, auth.ErrBudget) {
			a.Log.Error("no more codes are sent this hour: too many were asked for")
		}
		return nil, err
	}
	return &codeOutput{CodeSent{int(auth.CodeResend.Seconds()), int(auth.CodeLife.Seconds())}}, nil
}

func (a *API) loginPhone(ctx context.Context, in *phoneLoginInput) (*loginOutput, error) {
	return a.entering(ctx, func(from auth.Client) (auth.Entry, error) {
		return a.Accounts.EnterByPhone(ctx, in.Body.Phone, strings.TrimSpace(in.Body.Code), from)
	})
}

func (a *API) loginPassword(ctx context.Context, in *passwordLoginInput) (*loginOutput, error) {
	return a.entering(ctx, func(from auth.Client) (auth.Entry, error) {
		return a.Accounts.EnterByPassword(ctx, in.Body.Number, in.Body.Password, from)
	})
}

func (a *API) redeemLink(ctx context.Context, in *linkInput) (*loginOutput, error) {
	b := in.Body
	return a.entering(ctx, func(from auth.Client) (auth.Entry, error) {
		return a.Accounts.Redeem(ctx, b.Key, auth.Founder{Number: b.Number, Name: b.Name, Password: b.Password}, from)
	})
}

// guesses are errors of who tries things out.
var guesses = []error{auth.ErrCode, auth.ErrCredentials, auth.ErrLink, auth.ErrTooMany, recharge.ErrNoCard}

// guarded makes an address wait that guesses.
func (a *API) guarded(ctx context.Context, do func() error) error {
	from := client(ctx).IP
	if a.guesses.shut(from) {
		return auth.ErrTooMany
	}
	err := do()
	for _, g := range guesses {
		if errors.Is(err, g) {
			a.guesses.failed(from)
			break
		}
	}
	return err
}

// entering makes a session, and sets its cookie.
func (a *API) entering(ctx context.Context, enter func(auth.Client) (auth.Entry, error)) (*loginOutput, error) {
	var e auth.Entry
	err := a.guarded(ctx, func() (err error) {
		e, err = enter(client(ctx))
		return err
	})
	if err != nil {
		return nil, err
	}
	me, err := a.me(ctx, e.Caller)
	if err != nil {
		return nil, err
	}
	return &loginOutput{SetCookie: a.sessionCookie(e), Body: LoggedIn{me}}, nil
}

func (a *API) sessionCookie(e auth.Entry) http.Cookie {
	c := a.cookie(auth.Cookie, "/", e.Cookie)
	if e.Lasting {
		c.MaxAge = cookieAge
	}
	return c
}

// cookie is one that no script reads and no other site's form sends.
func (a *API) cookie(name, path, value string) http.Cookie {
	return http.Cookie{
		Name: name, Value: value, Path: path, HttpOnly: true, SameSite: http.SameSiteLaxMode,
		Secure: strings.HasPrefix(a.Public, "https://"),
	}
}

func (a *API) logout(ctx context.Context, _ *struct{}) (*logoutOutput, error) {
	who := caller(ctx)
	if err := a.Accounts.End(ctx, who.Person, who.Session); err != nil {
		return nil, err
	}
	gone := a.cookie(auth.Cookie, "/", "")
	gone.MaxAge = -1
	return &logoutOutput{gone}, nil
}
