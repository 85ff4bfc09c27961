package api

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"campusgate/server/auth"
	"campusgate/server/store"
)

// Me is who is signed in, and what they may do.
type Me struct {
	Number     string   `json:"number"`
	Name       string   `json:"name"`
	Kind       string   `json:"kind"`
	Level      string   `json:"level" doc:"of students"`
	Unit       UnitRef  `json:"unit"`
	Phone      string   `json:"phone" doc:"the first two and last two digits"`
	Mail       string   `json:"mail" doc:"masked"`
	Posts      []MyPost `json:"posts" doc:"held today"`
	Scopes     []string `json:"scopes" doc:"what the posts permit"`
	Gate       uint16   `json:"gate" doc:"where a guard stands; 0 = nowhere"`
	Password   bool     `json:"password" doc:"there is one"`
	MustChange bool     `json:"must_change" doc:"the password is one that somebody else made: nothing works but to change it"`
	Unread     int      `json:"unread" doc:"messages"`
	Demo       bool     `json:"demo"`
}

// UnitRef names a unit; both are empty when there is none.
type UnitRef struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// MyPost is a post of the person who is signed in.
type MyPost struct {
	Role string `json:"role"`
	Name string `json:"name" doc:"of the role, Chinese"`
	Unit string `json:"unit" doc:"name; empty = everywhere"`
	Gate uint16 `json:"gate,omitempty" doc:"of a guard"`
}

// LoginEntry is one login, or one try.
type LoginEntry struct {
	At      int64  `json:"at"`
	Way     string `json:"way" doc:"phone, password, link, oidc:ID, cas:ID"`
	IP      string `json:"ip"`
	Device  string `json:"device"`
	Result  string `json:"result" enum:"ok,wrong_password,wrong_code,locked"`
	Current bool   `json:"current,omitempty" doc:"it began this session"`
}

// SessionEntry is a session that has not ended.
type SessionEntry struct {
	ID        string `json:"id"`
	CreatedAt int64  `json:"created_at"`
	SeenAt    int64  `json:"seen_at" doc:"last used, to the minute"`
	Way       string `json:"way"`
	Device    string `json:"device"`
	Current   bool   `json:"current" doc:"this one"`
}

// ListQuery asks for a page of a list.
type ListQuery struct {
	Page int `query:"page" default:"1" minimum:"1" maximum:"1000000" doc:"from 1"`
	Size int `query:"size" default:"20" minimum:"1" maximum:"200"`
}

type meOutput struct{ Body Me }

type passwordInput struct {
	Body struct {
		Old string `json:"old" maxLength:"512" doc:"empty where there is none yet"`
		New string `json:"new" maxLength:"512"`
	}
}

type mailInput struct {
	Body struct {
		Mail string `json:"mail" maxLength:"512" doc:"empty takes it away"`
	}
}

type loginsOutput struct {
	Body struct {
		Items []LoginEntry `json:"items"`
		Total int          `json:"total"`
		Page  int          `json:"page"`
		Size  int          `json:"size"`
	}
}

type sessionsOutput struct {
	Body struct {
		Items []SessionEntry `json:"items"`
	}
}

type sessionInput struct {
	ID string `path:"id" maxLength:"20"`
}

func (a *API) meRoutes() {
	add(a, route{
		method: http.MethodGet, path: prefix + "/me", scope: auth.Self, id: "me", initial: true, text: "我的账号 Who I am",
	}, func(ctx context.Context, _ *struct{}) (*meOutput, error) { return a.meNow(ctx) })
	add(a, route{
		method: http.MethodPut, path: prefix + "/me/password", scope: auth.Self, id: "change-password", initial: true,
		text: "修改密码 Change my password; my other sessions end",
	}, a.changePassword)
	add(a, route{
		method: http.MethodPost, path: prefix + "/me/phone/code", scope: auth.Self, id: "send-phone-code", status: http.StatusAccepted,
		text: "向新手机号发送验证码 Send a code to my new phone", errors: []int{http.StatusNotFound},
	}, a.sendPhoneCode)
	add(a, route{
		method: http.MethodPut, path: prefix + "/me/phone", scope: auth.Self, id: "change-phone",
		text: "更换手机号 Change my phone; my other sessions end", errors: []int{http.StatusNotFound},
	}, a.changePhone)
	add(a, route{
		method: http.MethodPut, path: prefix + "/me/mail", scope: auth.Self, id: "change-mail", text: "修改邮箱 Change my mail address",
	}, a.changeMail)
	add(a, route{
		method: http.MethodGet, path: prefix + "/me/logins", scope: auth.Self, id: "my-logins", text: "登录历史 My logins and tries",
	}, a.myLogins)
	add(a, route{
		method: http.MethodGet, path: prefix + "/me/sessions", scope: auth.Self, id: "my-sessions", text: "已登录的设备 My sessions",
	}, a.mySessions)
	add(a, route{
		method: http.MethodDelete, path: prefix + "/me/sessions/{id}", scope: auth.Self, id: "end-session", status: http.StatusNoContent,
		text: "让一台设备退出 End a session of mine", errors: []int{http.StatusNotFound},
	}, a.endSession)
}

// me puts together what a person sees of themselves.
func (a *API) me(ctx context.Context, who auth.Caller) (Me, error) {
	p, err := a.People.Details(ctx, a.Store.Reader(), who.Person)
	if err != nil {
		return Me{}, err
	}
	has, err := a.Accounts.HasPassword(ctx, who.Person)
	if err != nil {
		return Me{}, err
	}
	roles, err := a.People.AllRoles(ctx)
	if err != nil {
		return Me{}, err
	}
	me := Me{
		Number: p.ID, Name: p.Name, Kind: string(p.Kind), Level: p.Level, Unit: UnitRef{p.Unit, p.UnitName},
		Phone: maskEnds(p.Phone), Mail: maskMail(p.Mail), Posts: []MyPost{}, Scopes: strings.Fields(who.Scopes.String()),
		Gate: who.Gate, Password: has, MustChange: who.MustChange, Demo: a.Demo,
	}
	for _, post := range who.Posts {
		mine := MyPost{Role: post.Role, Name: post.Role, Unit: post.UnitName, Gate: post.Gate}
		for _, r := range roles {
			if r.Role == post.Role {
				mine.Name = r.Name
			}
		}
		me.Posts = append(me.Posts, mine)
	}
	me.Unread, err = a.Notify.Unread(ctx, who.Person)
	return me, err
}

// meNow is me after a change: who is read anew.
func (a *API) meNow(ctx context.Context) (*meOutput, error) {
	who, err := a.Accounts.Check(ctx, client(ctx).Cookie)
	if err != nil {
		return nil, err
	}
	me, err := a.me(ctx, who)
	return &meOutput{me}, err
}

// maskEnds shows the first two and last two digits of a phone.
func maskEnds(phone string) string {
	if len(phone) < 5 {
		return strings.Repeat("*", len(phone))
	}
	return phone[:2] + strings.Repeat("*", len(phone)-4) + phone[len(phone)-2:]
}

// maskMail shows the first letter and the host of an address.
func maskMail(mail string) string {
	name, at, ok := strings.Cut(mail, "@")
	if !ok {
		return ""
	}
	_, n := utf8.DecodeRuneInString(name)
	return name[:n] + "***@" + at
}

func (a *API) changePassword(ctx context.Context, in *passwordInput) (*meOutput, error) {
	err := a.guarded(ctx, func() error {
		return a.Accounts.ChangePassword(ctx, caller(ctx), in.Body.Old, in.Body.New, client(ctx))
	})
	if err != nil {
		return nil, err
	}
	return a.meNow(ctx)
}

func (a *API) sendPhoneCode(ctx context.Context, in *codeInput) (*codeOutput, error) {
	me, err := a.person(ctx)
	if err != nil {
		return nil, err
	}
	return a.sending(ctx, func() error { return a.Accounts.SendPhoneCode(ctx, me, in.Body.Phone) })
}

func (a *API) changePhone(ctx context.Context, in *phoneLoginInput) (*meOutput, error) {
	err := a.guarded(ctx, func() error {
		return a.Accounts.SetPhone(ctx, caller(ctx), in.Body.Phone, strings.TrimSpace(in.Body.Code))
	})
	if err != nil {
		return nil, err
	}
	return a.meNow(ctx)
}

func (a *API) changeMail(ctx context.Context, in *mailInput) (*meOutput, error) {
	if err := a.Accounts.SetMail(ctx, caller(ctx), in.Body.Mail); err != nil {
		return nil, err
	}
	return a.meNow(ctx)
}

func (a *API) myLogins(ctx context.Context, in *ListQuery) (*loginsOutput, error) {
	who := caller(ctx)
	list, total, err := a.Accounts.Logins(ctx, who.Person, in.Page, in.Size)
	if err != nil {
		return nil, err
	}
	out := &loginsOutput{}
	out.Body.Total, out.Body.Page, out.Body.Size = total, in.Page, in.Size
	out.Body.Items = mapped(list, func(l auth.Login) LoginEntry {
		return LoginEntry{
			At: l.At, Way: l.Way, IP: l.IP, Device: l.Device, Result: l.Result, Current: l.Session == who.Session,
		}
	})
	return out, nil
}

func (a *API) mySessions(ctx context.Context, _ *struct{}) (*sessionsOutput, error) {
	who := caller(ctx)
	list, err := a.Accounts.Sessions(ctx, who.Person)
	if err != nil {
		return nil, err
	}
	out := &sessionsOutput{}
	out.Body.Items = mapped(list, func(s auth.Session) SessionEntry {
		return SessionEntry{
			ID: strconv.FormatInt(s.ID, 10), CreatedAt: s.CreatedAt, SeenAt: s.SeenAt, Way: s.Way, Device: s.Device,
			Current: s.ID == who.Session,
		}
	})
	return out, nil
}

func (a *API) endSession(ctx context.Context, in *sessionInput) (*struct{}, error) {
	id, err := strconv.ParseInt(in.ID, 10, 64)
	if err != nil {
		return nil, fmt.Errorf("%w: session", store.ErrNotFound)
	}
	return nil, a.Accounts.End(ctx, caller(ctx).Person, id)
}

// InitialPassword is shown once.
type InitialPassword struct {
	Password string `json:"password" doc:"must be changed at the first login"`
}

type initialOutput struct{ Body InitialPassword }

type numberInput struct {
	Number string `path:"number" maxLength:"64"`
}

// initialPassword is a route of the people: somebody has forgotten theirs.
func (a *API) initialPassword(ctx context.Context, in *numberInput) (*initialOutput, error) {
	password, err := a.Accounts.Initial(ctx, caller(ctx), in.Number)
	if err != nil {
		return nil, err
	}
	return &initialOutput{InitialPassword{password}}, nil
}

func (a *API) passwordRoutes() {
	add(a, route{
		method: http.MethodPost, path: prefix + "/people/{number}/password", scope: auth.PeopleWrite, id: "initial-password",
		text:   "重置初始密码 Give somebody an initial password; their sessions end",
		errors: []int{http.StatusNotFound},
	}, a.initialPassword)
}
