package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	qrcode "github.com/skip2/go-qrcode"

	"campusgate/server/auth"
	"campusgate/server/issue"
	"campusgate/server/store"
	"campusgate/signing"
	"campusgate/signing/verdict"
)

// Pass is an issued pass.
type Pass struct {
	ID        string `json:"id" doc:"pass id, 16 hex digits"`
	Kind      string `json:"kind" enum:"resident_single,resident_multi,work,visitor,vehicle"`
	Name      string `json:"name"`
	Doc4      string `json:"doc4"`
	From      string `json:"from" format:"date-time" doc:"first moment, campus time"`
	Until     string `json:"until" format:"date-time" doc:"first moment after"`
	Uses      uint32 `json:"uses" doc:"0 = unlimited"`
	Zones     []int  `json:"zones" doc:"empty = every zone"`
	OwnerGate uint16 `json:"owner_gate" doc:"gate that decides a counted pass now; 0 = the server"`
	OwnerName string `json:"owner_name" doc:"of that gate; empty = the server"`
	OwnerHere bool   `json:"owner_here" doc:"that gate is connected, so the pass can be moved to another"`
	Movable   bool   `json:"movable" doc:"a gate decides it, and it holds and is unused: it can be decided by another"`
	Moves     uint32 `json:"moves" doc:"how often it was moved from gate to gate"`
	Bound     bool   `json:"bound" doc:"no static code; a phone key makes live codes"`
	Key       string `json:"key" doc:"key id that signed"`

	Code  string `json:"code" doc:"text of the static QR code; empty when bound"`
	URL   string `json:"url" doc:"where a phone's scanner goes, at this server; empty when bound"`
	State string `json:"state" enum:"issued,used,expired,revoked"`

	IssuedAt     int64  `json:"issued_at"`
	IssuedBy     string `json:"issued_by"`
	Used         uint32 `json:"used" doc:"admissions that were counted so far"`
	FirstUse     *Use   `json:"first_use,omitempty"`
	RevokedAt    int64  `json:"revoked_at,omitempty"`
	RevokeReason string `json:"revoke_reason,omitempty"`

	Phones []Phone `json:"phones,omitempty" doc:"phone keys of a bound pass, newest first; the one without replaced_at stands"`
}

// Phone is a phone key of a pass.
type Phone struct {
	ID         string `json:"id"`
	EnrolledAt int64  `json:"enrolled_at"`
	RenewedAt  int64  `json:"renewed_at"`
	ExpiresAt  int64  `json:"expires_at" doc:"end of its last credential"`
	ReplacedAt int64  `json:"replaced_at,omitempty"`
}

// Use is one admission.
type Use struct {
	At   int64  `json:"at"`
	Gate uint16 `json:"gate"`
}

// PassRequest asks for a pass. What is absent has the meaning given.
type PassRequest struct {
	Kind      string  `json:"kind" doc:"resident_single, resident_multi, work, visitor or vehicle"`
	Name      string  `json:"name,omitempty" doc:"of the holder, at most 48 bytes of UTF-8"`
	Doc4      string  `json:"doc4,omitempty" doc:"last four characters of the document number, or nothing"`
	From      string  `json:"from,omitempty" doc:"date (campus midnight) or time; absent = now"`
	Until     string  `json:"until" doc:"last day, which is included, or a time, which is not"`
	Uses      *uint32 `json:"uses,omitempty" doc:"0 = unlimited; absent = 1 for resident_single, else unlimited"`
	Zones     []int   `json:"zones,omitempty" doc:"1 to 32; none = every zone"`
	OwnerGate *uint16 `json:"owner_gate,omitempty" doc:"gate that decides a counted pass, 0 = the server; absent = the only gate of the zones, or else the server"`
	Bound     bool    `json:"bound,omitempty" doc:"no static code: enrol a phone key with /keys"`
}

// PassPath names a pass in an address. It is exported for the HTTP library, which
// looks into no other embedded struct.
type PassPath struct {
	ID string `path:"id" pattern:"^[0-9a-f]{16}$" doc:"pass id"`
	address
}

// errNoPass: there is none of that id, or none of the caller's.
var errNoPass = fmt.Errorf("%w: pass", store.ErrNotFound)

func (in PassPath) id() (signing.PassID, error) {
	id, err := signing.ParsePassID(in.ID)
	if err != nil {
		return id, errNoPass
	}
	return id, nil
}

type passOutput struct{ Body Pass }

func (a *API) passRoutes() {
	add(a, route{
		method: http.MethodPost, path: prefix + "/passes", scope: auth.PassesWrite, id: "issue-pass", status: http.StatusCreated,
		text: "签发通行证 Issue a pass", errors: []int{http.StatusConflict},
	}, a.issuePass)
	add(a, route{
		method: http.MethodGet, path: prefix + "/passes/{id}", scope: auth.PassesRead, id: "get-pass",
		text: "查看通行证 Look at a pass", errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *PassPath) (*passOutput, error) { return a.pass(ctx, in) })
	add(a, route{
		method: http.MethodGet, path: prefix + "/passes/{id}/qr.png", scope: auth.PassesRead, id: "get-pass-qr",
		text: "静态码图片 The static code as an image", media: "image/png", errors: []int{http.StatusNotFound, http.StatusConflict},
	}, a.passQR)
	add(a, route{
		method: http.MethodPost, path: prefix + "/passes/{id}/revoke", scope: auth.PassesWrite, id: "revoke-pass",
		text: "作废通行证 Take a pass back", errors: []int{http.StatusNotFound},
	}, a.revokePass)
	a.ownerRoutes()
}

type issueInput struct {
	Body PassRequest
	address
}

func (a *API) issuePass(ctx context.Context, in *issueInput) (*passOutput, error) {
	b := &in.Body
	r := issue.Request{
		Kind: b.Kind, Name: b.Name, Doc4: b.Doc4, From: b.From, Until: b.Until, Uses: b.Uses, Zones: b.Zones,
		Owner: b.OwnerGate, Bound: b.Bound,
	}
	for attempt := 1; ; attempt++ {
		prepared, err := a.Issue.Prepare(ctx, r)
		if err != nil {
			return nil, err
		}
		p, err := a.Issue.Issue(ctx, caller(ctx).Actor, prepared)
		if err == nil {
			out := &passOutput{a.passBody(p, in.address)}
			return out, a.ownerOf(ctx, &out.Body)
		}
		// The key was rotated between signing and storing, or two random ids
		// met. Either passes.
		if attempt == 3 || !errors.Is(err, store.ErrState) && !errors.Is(err, store.ErrTaken) {
			return nil, err
		}
	}
}

func (a *API) pass(ctx context.Context, in *PassPath) (*passOutput, error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	p, err := a.Store.Pass(ctx, id)
	if err != nil {
		return nil, err
	}
	out := &passOutput{a.passBody(p, in.address)}
	if err := a.ownerOf(ctx, &out.Body); err != nil {
		return nil, err
	}
	if p.Bound {
		phones, err := a.Store.Phones(ctx, id)
		if err != nil {
			return nil, err
		}
		out.Body.Phones = mapped(phones, func(p store.Phone) Phone {
			return Phone{
				ID: p.ID.String(), EnrolledAt: p.EnrolledAt, RenewedAt: p.RenewedAt, ExpiresAt: p.Expires * 1000, ReplacedAt: p.ReplacedAt,
			}
		})
	}
	return out, nil
}

func (a *API) passBody(p store.PassStatus, at address) Pass {
	campus := func(seconds int64) string { return time.Unix(seconds, 0).In(a.Location).Format(time.RFC3339) }
	return Pass{
		ID: p.ID.String(), Kind: p.Kind.String(), Name: p.Name, Doc4: p.Doc4, From: campus(p.From), Until: campus(p.Until),
		Uses: p.Uses, Zones: p.Zones.List(), OwnerGate: p.Decider(), Moves: p.Moves, Movable: p.Owner != 0 && p.Uses > 0 && p.Used == 0 && issue.State(p, a.Now()) == "issued", Bound: p.Bound, Key: p.Key.String(),
		Code: p.Code, URL: at.verification(p.Code), State: issue.State(p, a.Now()),
		IssuedAt: p.IssuedAt, IssuedBy: p.IssuedBy, Used: p.Used, FirstUse: useBody(p.First),
		RevokedAt: p.RevokedAt, RevokeReason: p.RevokeReason,
	}
}

func useBody(u *verdict.Use) *Use {
	if u == nil {
		return nil
	}
	return &Use{At: u.At, Gate: u.Gate}
}

type qrInput struct {
	PassPath
	Scale int `query:"scale" minimum:"1" maximum:"32" default:"8" doc:"pixels per module"`
}

type pngOutput struct {
	ContentType string `header:"Content-Type"`
	Body        []byte
}

func (a *API) passQR(ctx context.Context, in *qrInput) (*pngOutput, error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	p, err := a.Store.Pass(ctx, id)
	if err != nil {
		return nil, err
	}
	if p.Code == "" {
		return nil, errNoCode
	}
	qr, err := qrcode.New(p.Code, qrcode.Medium)
	if err != nil {
		return nil, fmt.Errorf("draw code: %w", err)
	}
	png, err := qr.PNG(-in.Scale) // negative: pixels per module, so that all are the same size
	if err != nil {
		return nil, fmt.Errorf("draw code: %w", err)
	}
	return &pngOutput{ContentType: "image/png", Body: png}, nil
}

type revokeInput struct {
	PassPath
	Body struct {
		Reason string `json:"reason,omitempty" maxLength:"200" doc:"for the trail and for the guard"`
	}
}

func (a *API) revokePass(ctx context.Context, in *revokeInput) (*passOutput, error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	if err := a.Apply.Revoke(ctx, caller(ctx).Actor, id, strings.TrimSpace(in.Body.Reason)); err != nil {
		return nil, err
	}
	return a.pass(ctx, &in.PassPath)
}
