package auth

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrScope is wrapped when a text names no scope.
var ErrScope = errors.New("no such scope")

// Scope is one thing that a token permits. The names are permanent.
type Scope string

// The scopes. Admin permits everything but Self.
const (
	PassesRead    Scope = "passes:read"
	PassesWrite   Scope = "passes:write"
	GatesRead     Scope = "gates:read"
	GatesWrite    Scope = "gates:write"
	AgentsRead    Scope = "agents:read"
	EventsRead    Scope = "events:read"
	KeysRead      Scope = "keys:read"
	KeysWrite     Scope = "keys:write"
	AuditRead     Scope = "audit:read"
	TokensWrite   Scope = "tokens:write"
	PeopleRead    Scope = "people:read"
	PeopleWrite   Scope = "people:write"
	FlowsWrite    Scope = "flows:write"
	SettingsWrite Scope = "settings:write"
	Guard         Scope = "guard"         // verify codes at a gate
	Desk          Scope = "desk"          // paper passes, households
	Stats         Scope = "stats"         // all records and figures
	ExportsPlain  Scope = "exports:plain" // files with names and numbers in full
	Cards         Scope = "cards"         // accounts, cards, the cash desk
	Canteen       Scope = "canteen"       // a merchant's own tills, menus and takings
	Finance       Scope = "finance"       // all money: settlement, refunds, exports
	Admin         Scope = "admin"

	// Self is what every person may do in their own name. No token has it: a
	// token is nobody's.
	Self Scope = "self"
)

// AllScopes lists the scopes that a token can have, in the order of the
// documentation.
func AllScopes() []Scope {
	return []Scope{
		PassesRead, PassesWrite, GatesRead, GatesWrite, AgentsRead, EventsRead,
		KeysRead, KeysWrite, AuditRead, TokensWrite, PeopleRead, PeopleWrite,
		FlowsWrite, SettingsWrite, Guard, Desk, Stats, ExportsPlain, Cards, Canteen, Finance, Admin,
	}
}

// Scopes is a set of scopes in the order of AllScopes, without repeats.
type Scopes []Scope

// ParseScopes reads names, in any order. An empty list is an error: a token
// that permits nothing is a mistake.
func ParseScopes(names ...string) (Scopes, error) {
	asked := map[Scope]bool{}
	for _, name := range names {
		if !slices.Contains(AllScopes(), Scope(name)) {
			return nil, fmt.Errorf("%w: %q", ErrScope, name)
		}
		asked[Scope(name)] = true
	}
	var set Scopes
	for _, s := range AllScopes() {
		if asked[s] {
			set = append(set, s)
		}
	}
	if set == nil {
		return nil, fmt.Errorf("%w: name at least one", ErrScope)
	}
	return set, nil
}

// May reports whether the set permits s.
func (set Scopes) May(s Scope) bool {
	return slices.Contains(set, s) || s != Self && slices.Contains(set, Admin)
}

// Covers reports whether the set permits everything that other does: nobody
// gives away more than they have.
func (set Scopes) Covers(other Scopes) bool {
	for _, s := range other {
		if !set.May(s) {
			return false
		}
	}
	return true
}

// String is the stored form: names separated by spaces.
func (set Scopes) String() string {
	names := make([]string, len(set))
	for i, s := range set {
		names[i] = string(s)
	}
	return strings.Join(names, " ")
}
