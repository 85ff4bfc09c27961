package console

import (
	"crypto/subtle"
	"encoding/hex"
	"io"
	"net/http"
	"sync"

	"campusgate/agent/call"
	"campusgate/agent/desk"
	"campusgate/signing"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// Kiosk says that nobody stands at this gate, and what its page shows.
type Kiosk struct {
	Phone     string // whom to phone when a call is not answered; "" = nobody
	OtherGate string // the nearest gate with a guard; "" = not known
	OnCall    bool   // a guard elsewhere is asked for a document
}

// kioskOpen is what anybody may ask of a kiosk. Everything else of the API wants
// the key that a guard's login at /guard gave to that page: the kiosk's own page
// is served from the same address, and stands in the open.
var kioskOpen = map[string]bool{
	"GET /api/v1/status": true, "GET /api/v1/texts": true, "POST /api/v1/scans": true, "POST /api/v1/shift": true,
	"GET /api/v1/kiosk/feed": true, "POST /api/v1/kiosk/calls": true, "POST /api/v1/kiosk/calls/{id}/cancel": true,
}

// keyHeader carries the key; the feed, which cannot have headers, has it in its
// address.
const keyHeader = "X-Guard-Key"

// guardKey is the key of the guard who is on duty at a kiosk.
type guardKey struct {
	mu     sync.Mutex
	key    string
	number string
}

// mint makes the key of a guard who has just logged in, and ends the one before.
func (c *Console) mint(number string) (string, error) {
	var raw [16]byte
	c.randMu.Lock()
	_, err := io.ReadFull(c.rand, raw[:])
	c.randMu.Unlock()
	if err != nil {
		return "", err
	}
	c.pass.mu.Lock()
	defer c.pass.mu.Unlock()
	c.pass.key, c.pass.number = hex.EncodeToString(raw[:]), number
	return c.pass.key, nil
}

// opens reports whether a key is that of the guard on duty.
func (c *Console) opens(key string) bool {
	on := c.status().Shift.Guard
	c.pass.mu.Lock()
	defer c.pass.mu.Unlock()
	return c.pass.key != "" && on != nil && on.Number == c.pass.number && subtle.ConstantTimeCompare([]byte(key), []byte(c.pass.key)) == 1
}

// keyed lets a handler answer only to the page of the guard on duty.
func (c *Console) keyed(h handle) handle {
	return func(w http.ResponseWriter, r *http.Request) error {
		key := r.Header.Get(keyHeader)
		if key == "" {
			key = r.URL.Query().Get("key")
		}
		if !c.opens(key) {
			return &noShift
		}
		return h(w, r)
	}
}

// unattend closes the guard's pages at a kiosk when the shift is over.
func (c *Console) unattend() {
	if c.kiosk == nil || c.hub.idle() {
		return
	}
	c.pass.mu.Lock()
	key := c.pass.key
	c.pass.mu.Unlock()
	if !c.opens(key) {
		c.hub.closeAll(closeNoShift, false)
	}
}

// closeNoShift is the code with which a guard's feed at a kiosk ends.
const closeNoShift = 4401

// kioskView is how the kiosk is: nothing of anybody.
type kioskView struct {
	Gate      Gate        `json:"gate"`
	Software  string      `json:"software"`
	Now       int64       `json:"now"`
	Phone     string      `json:"phone"`
	OtherGate string      `json:"other_gate"`
	OnCall    bool        `json:"on_call"`
	Online    bool        `json:"online"`
	Trouble   string      `json:"trouble"` // emergency, lockdown, snapshot, stale or clock; "" = none
	Lanes     []kioskLane `json:"lanes"`
	Calls     []kioskCall `json:"calls"`
}

type kioskLane struct {
	Name      string `json:"name"`
	Direction string `json:"direction"`
	Trouble   string `json:"trouble"` // scanner or barrier; "" = none
}

// kioskCall is a call of this kiosk. By is the gate whose guard answers.
type kioskCall struct {
	ID     string          `json:"id"`
	Lane   string          `json:"lane"`
	At     int64           `json:"at"`
	Reason wire.CallReason `json:"reason"`
	Scan   string          `json:"scan,omitempty"`
	State  wire.CallState  `json:"state"`
	By     string          `json:"by,omitempty"`
	Cut    bool            `json:"cut,omitempty"`
}

func kioskCallOf(v call.View) kioskCall {
	return kioskCall{ID: v.ID, Lane: v.Lane, At: v.At, Reason: v.Reason, Scan: v.Scan, State: v.State, By: v.ByName, Cut: v.Cut}
}

// kioskScan is an attempt as those around may see it.
type kioskScan struct {
	ID        string            `json:"id"`
	At        int64             `json:"at"`
	Lane      string            `json:"lane"`
	Direction verdict.Direction `json:"direction"`
	Reason    verdict.Reason    `json:"reason"`
	Repeat    bool              `json:"repeat,omitempty"`
	Opens     bool              `json:"opens"`
	Need      verdict.Need      `json:"need,omitempty"`
	Kind      signing.Kind      `json:"kind,omitzero"`
	Name      string            `json:"name,omitempty"` // its first character
	FirstUse  *desk.FirstUse    `json:"first_use,omitempty"`
	Owner     *desk.Owner       `json:"owner,omitempty"`
	Annulled  bool              `json:"annulled,omitempty"`
}

func kioskScanOf(r *desk.Result) kioskScan {
	return kioskScan{
		ID: r.ID, At: r.At, Lane: r.Lane, Direction: r.Direction, Reason: r.Reason, Repeat: r.Repeat, Opens: r.Opens, Need: r.Need,
		Kind: r.Kind, Name: masked(r.Name), FirstUse: r.FirstUse, Owner: r.Owner, Annulled: r.Annulled,
	}
}

// masked leaves the first character of a name.
func masked(name string) string {
	for _, first := range name {
		return string(first) + "＊"
	}
	return ""
}

type kioskMessage struct {
	Type  string     `json:"type"` // kiosk or scan
	Kiosk *kioskView `json:"kiosk,omitempty"`
	Scan  *kioskScan `json:"scan,omitempty"`
}

func (c *Console) kioskView() *kioskView {
	s := c.status()
	v := &kioskView{
		Gate: s.Gate, Software: s.Software, Now: s.Now, Online: s.Online,
		Phone: c.kiosk.Phone, OtherGate: c.kiosk.OtherGate, OnCall: c.kiosk.OnCall, Lanes: []kioskLane{}, Calls: []kioskCall{},
	}
	switch {
	case len(s.Alarms) > 0 && s.Alarms[0].State == wire.AlarmOpen:
		v.Trouble = "emergency"
	case len(s.Alarms) > 0:
		v.Trouble = "lockdown"
	case s.Snapshot.At == 0:
		v.Trouble = "snapshot"
	case !s.Clock.Trusted:
		v.Trouble = "clock"
	case s.Snapshot.Stale:
		v.Trouble = "stale"
	}
	for _, l := range s.Lanes {
		k := kioskLane{Name: l.Name, Direction: l.Direction}
		switch {
		case l.Scanner.State == stateLost:
			k.Trouble = "scanner"
		case l.Barrier.State == stateLost:
			k.Trouble = "barrier"
		}
		v.Lanes = append(v.Lanes, k)
	}
	for _, call := range c.calls.List() {
		if call.Mine {
			v.Calls = append(v.Calls, kioskCallOf(call))
		}
	}
	return v
}

// getKioskFeed tells the kiosk's page how it is and what was scanned. Results of
// before are none of it: an old green light is a wrong one.
func (c *Console) getKioskFeed(w http.ResponseWriter, r *http.Request) error {
	return c.feed(w, r, visitor{kiosk: true}, func() (any, error) {
		return kioskMessage{Type: "kiosk", Kiosk: c.kioskView()}, nil
	})
}

// sendKiosk tells the kiosk's pages how it is.
func (c *Console) sendKiosk() {
	if c.kiosk != nil && !c.hub.idle() {
		c.sendTo(true, kioskMessage{Type: "kiosk", Kiosk: c.kioskView()})
	}
}

// postKioskCall rings for a guard.
func (c *Console) postKioskCall(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Lane string `json:"lane"`
	}
	if err := c.decode(w, r, &in); err != nil {
		return err
	}
	v, err := c.calls.Help(in.Lane)
	if err != nil {
		return deskFailure(err)
	}
	c.answer(w, http.StatusOK, kioskCallOf(v))
	return nil
}

func (c *Console) postKioskCancel(w http.ResponseWriter, r *http.Request) error {
	if err := c.decode(w, r, &struct{}{}); err != nil {
		return err
	}
	if err := c.calls.Cancel(r.PathValue("id")); err != nil {
		return deskFailure(err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
