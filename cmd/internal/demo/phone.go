package demo

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"time"

	"github.com/skip2/go-qrcode"

	"campusgate/cmd/internal/campus"
)

// screen is what a phone shows of one pass: the code that a scanner would see.
// The phone of a work pass makes a new one every campus.CodePeriod.
type screen struct {
	code  string
	phone *campus.Phone // nil: the code never changes
	made  time.Time
}

// passView is a phone's screen.
type passView struct {
	campus.Pass
	Kind  string `json:"kind"`
	Name  string `json:"name"`
	Doc4  string `json:"doc4"` // of the payer: the number
	From  string `json:"from"`
	Until string `json:"until"`
	Owner string `json:"owner,omitempty"`
	codeView
}

// codeView is the part of a screen that changes.
type codeView struct {
	QR       string `json:"qr"`                  // data URL of a PNG
	Modules  int    `json:"modules"`             // across the picture, quiet zone included
	LeftMS   int64  `json:"left_ms,omitempty"`   // until the next code
	PeriodMS int64  `json:"period_ms,omitempty"` // from code to code; 0 = it never changes
}

// holders are invented.
var holders = []struct{ name, doc4 string }{
	{"林晓岚", "3021"}, {"周明远", "118X"}, {"何思齐", "7740"}, {"苏若水", "0925"}, {"Maria Chen", "5512"},
}

// zone is campus time; China has kept UTC+8 without summer time since 1991.
var zone = time.FixedZone("Asia/Shanghai", 8*3600)

// payKind is a payment code; every other kind is one of a pass.
const payKind = "pay"

// issue makes a pass of either kind and puts it on a phone, or a payment code.
func (p *Page) issue(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Kind string `json:"kind"`
	}
	if !decode(w, r, &in) {
		return
	}
	if in.Kind == payKind {
		p.pay(w, r)
		return
	}
	p.mu.Lock()
	holder := holders[len(p.shown)%len(holders)]
	p.mu.Unlock()
	today := p.now().In(zone)
	view := passView{Kind: in.Kind, Name: holder.name, Doc4: holder.doc4, From: today.Format(time.DateOnly)}
	request := campus.PassRequest{Kind: in.Kind, Name: view.Name, Doc4: view.Doc4, From: view.From, Zones: []int{1}}
	switch in.Kind {
	case "resident_single":
		owner := p.campus.Gates[0]
		view.Owner, view.Until = owner.Name, view.From
		request.Uses, request.OwnerGate = 1, owner.ID
	case "work":
		view.Until = today.AddDate(0, 1, 0).Format(time.DateOnly)
		request.Bound = true
	default:
		fail(w, http.StatusBadRequest, fmt.Errorf("kind %q: want resident_single, work or pay", in.Kind))
		return
	}
	request.Until = view.Until
	on, err := p.put(r.Context(), request, &view.Pass)
	if err != nil {
		fail(w, http.StatusBadGateway, err)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.shown[view.ID] = on
	view.Code, view.URL = "", "" // the picture is what a phone shows
	if view.codeView, err = on.look(p.now()); err != nil {
		fail(w, http.StatusInternalServerError, err)
		return
	}
	reply(w, view)
}

// put issues a pass and gives it to a phone.
func (p *Page) put(ctx context.Context, request campus.PassRequest, made *campus.Pass) (on *screen, err error) {
	if *made, err = p.campus.Client.Issue(ctx, request); err != nil {
		return nil, err
	}
	on = &screen{code: made.Code}
	if request.Bound {
		on.phone, err = p.campus.Client.EnrolPhone(ctx, made.ID)
	}
	return on, err
}

// live looks at a phone's screen again. The phone asks nobody for its code, so
// this goes on while the network is cut.
func (p *Page) live(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Pass string `json:"pass"`
	}
	if !decode(w, r, &in) {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	on := p.shown[in.Pass]
	if on == nil {
		fail(w, http.StatusNotFound, fmt.Errorf("no pass %.16q on a phone", in.Pass))
		return
	}
	view, err := on.look(p.now())
	if err != nil {
		fail(w, http.StatusInternalServerError, err)
		return
	}
	reply(w, view)
}

// look is the screen at this moment; a live code whose time is over is followed
// by the next.
func (s *screen) look(now time.Time) (v codeView, err error) {
	if s.phone != nil {
		// A clock that was set back makes a new code too.
		if age := now.Sub(s.made); s.code == "" || age < 0 || age >= campus.CodePeriod {
			if s.code, err = s.phone.Code(now); err != nil {
				return v, err
			}
			s.made = now
		}
		v.LeftMS = (campus.CodePeriod - now.Sub(s.made)).Milliseconds()
		v.PeriodMS = campus.CodePeriod.Milliseconds()
	}
	q, err := qrcode.New(s.code, qrcode.Medium)
	if err != nil {
		return v, err
	}
	png, err := q.PNG(-6)
	if err != nil {
		return v, err
	}
	v.QR, v.Modules = "data:image/png;base64,"+base64.StdEncoding.EncodeToString(png), len(q.Bitmap())
	return v, nil
}
