package wire

import (
	"errors"
	"fmt"
	"strings"

	"campusgate/signing"
	"campusgate/signing/verdict"
)

// Bounds of a gate's policy.
const (
	maxPolicyLanes = 64
	maxGroup       = 64 // bytes of a group's name
	maxWhy         = 240
)

// Policy is the body of ItemPolicy: what holds at the lanes of one gate, beside
// what Gate says. A gate without one lets every kind in, at any time.
type Policy struct {
	// Lanes names the kinds that a lane lets in; a lane without an entry takes all
	// that open gates. Whoever wants out gets out by any lane.
	Lanes map[string]signing.KindSet `json:"lanes,omitempty"`
	Hours []verdict.Hours            `json:"hours,omitempty"`
	// Exempt are the kinds that a lockdown does not keep out.
	Exempt signing.KindSet `json:"exempt,omitempty"`
	// Group names the gates that count who is inside together; "" = those of the
	// gate's zone.
	Group string `json:"group,omitempty"`
	// Area is the same at all gates of the area.
	Area verdict.Area `json:"area,omitzero"`
}

// AreaName is the area of a gate: "zone:1", or "group:" and the name.
func (p *Policy) AreaName(zone int) string { return AreaName(p.Group, zone) }

// AreaName is the area of a group, or of a zone where the group has no name.
func AreaName(group string, zone int) string {
	if group != "" {
		return "group:" + group
	}
	return fmt.Sprintf("zone:%d", zone)
}

// Check refuses a policy that a gate could not follow, or would follow otherwise
// than somebody meant. The error begins with the name of the field.
func (p *Policy) Check() error {
	if len(p.Lanes) > maxPolicyLanes {
		return fmt.Errorf("lanes: %d, at most %d", len(p.Lanes), maxPolicyLanes)
	}
	for name, kinds := range p.Lanes {
		switch {
		case kinds&^signing.GateKinds != 0:
			return fmt.Errorf("lanes: %s opens no gate", kinds&^signing.GateKinds)
		case name == "":
			return errors.New("lanes: a lane without a name")
		}
		if err := signing.CheckWords(name, maxName); err != nil {
			return fmt.Errorf("lanes: %w", err)
		}
	}
	if err := verdict.CheckHours(p.Hours); err != nil {
		return fmt.Errorf("hours: %w", err)
	}
	if p.Exempt&^signing.GateKinds != 0 {
		return fmt.Errorf("exempt: %s opens no gate", p.Exempt&^signing.GateKinds)
	}
	if err := signing.CheckWords(p.Group, maxGroup); err != nil {
		return fmt.Errorf("group: %w", err)
	}
	if strings.TrimSpace(p.Group) != p.Group || strings.Contains(p.Group, "/") {
		return errors.New("group: no slash, and no space at its ends")
	}
	if err := p.Area.Check(); err != nil {
		return fmt.Errorf("area.%w", err)
	}
	return nil
}

// AlarmState is what overrides the policy of gates.
type AlarmState string

// The states. An emergency opening goes before a lockdown.
const (
	AlarmNone     AlarmState = ""
	AlarmLockdown AlarmState = "lockdown" // nobody comes in; whoever wants out gets out
	AlarmOpen     AlarmState = "open"     // the barriers open and stay open
)

// Alarm is the body of ItemAlarm: that a scope was locked down, or opened. The key
// is the scope: "campus", "zone:1" or "gate:3".
type Alarm struct {
	State  AlarmState `json:"state"`
	Reason string     `json:"reason,omitempty"`
	By     string     `json:"by,omitempty"` // who ordered it
	Since  int64      `json:"since"`        // unix ms
	Until  int64      `json:"until,omitempty"`
}

// ScopeCampus is the scope of every gate.
const ScopeCampus = "campus"

// ScopeZone is the scope of the gates of a zone.
func ScopeZone(zone int) string { return fmt.Sprintf("zone:%d", zone) }

// ScopeGate is the scope of one gate.
func ScopeGate(gate uint16) string { return fmt.Sprintf("gate:%d", gate) }

// Check refuses an alarm of no state, and one whose words are too many.
func (a *Alarm) Check() error {
	if a.State != AlarmLockdown && a.State != AlarmOpen {
		return fmt.Errorf("state %.20q, want %s or %s", a.State, AlarmLockdown, AlarmOpen)
	}
	return errors.Join(within("reason", a.Reason, 0, maxWhy), within("by", a.By, 0, maxKey))
}

// In reports whether the alarm is in force at a moment, in unix ms.
func (a *Alarm) In(now int64) bool { return a.State != AlarmNone && (a.Until == 0 || now < a.Until) }

// AlarmSource is where an alarm at a gate came from.
type AlarmSource string

// The sources.
const (
	AlarmFromServer AlarmSource = "server"
	AlarmFromGuard  AlarmSource = "guard"
	AlarmFromInput  AlarmSource = "input" // a contact at the gate
)

// AlarmMove is what an alarm event says: what holds at the gate from now on, and
// where that came from.
type AlarmMove struct {
	State  AlarmState  `json:"state"` // "" = as usual again
	Source AlarmSource `json:"source"`
	Scope  string      `json:"scope,omitempty"` // from the server
	Reason string      `json:"reason,omitempty"`
	By     string      `json:"by,omitempty"`
	Since  int64       `json:"since,omitempty"` // unix ms
	Until  int64       `json:"until,omitempty"`
}

// Inside is the body of ItemInside: whether a pass is inside an area, as the server
// knows it. The key is the area, a slash and the pass id. Of two words about one
// pass the one with the later At holds, an agent's own among them.
type Inside struct {
	In      bool   `json:"in"`
	Since   int64  `json:"since,omitempty"` // when it came in
	Gate    uint16 `json:"gate"`            // by which it came in, or went out
	At      int64  `json:"at"`
	Expires int64  `json:"exp"` // unix s
}

// InsideKey is the key of an ItemInside.
func InsideKey(area string, pass signing.PassID) string { return area + "/" + pass.String() }

// ParseInsideKey reads it.
func ParseInsideKey(key string) (area string, pass signing.PassID, err error) {
	at := strings.LastIndexByte(key, '/')
	if at <= 0 {
		return "", pass, fmt.Errorf("%.64q: want an area, a slash and a pass", key)
	}
	pass, err = signing.ParsePassID(key[at+1:])
	return key[:at], pass, err
}
