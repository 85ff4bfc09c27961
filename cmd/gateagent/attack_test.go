//go:build linux

package main

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"campusgate/agent"
	"campusgate/agent/console"
	"campusgate/cmd/internal/campus"
	"campusgate/server"
	"campusgate/signing/verdict"
)

// agents is what the server's console shows of them.
func (s *site) agents() (all []struct {
	ID, Epoch uint32
	Live      struct {
		Connected bool
		Alarm     string
	}
},
) {
	s.t.Helper()
	var out struct {
		Agents []struct {
			ID, Epoch uint32
			Live      struct {
				Connected bool
				Alarm     string
			}
		}
	}
	check(s.t, s.client.Do(s.t.Context(), http.MethodGet, "/api/v1/agents", nil, &out))
	return out.Agents
}

// alarmed waits until the console shows an alarm of the first agent.
func (s *site) alarmed(word string) {
	s.t.Helper()
	last := ""
	s.wait("the console shows "+word, func() bool {
		if all := s.agents(); len(all) > 0 {
			last = all[0].Live.Alarm
		}
		return strings.Contains(last, word)
	})
}

// wait waits for something to become true.
func (s *site) wait(what string, wanted func() bool) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 2*patience)
	defer cancel()
	if err := campus.Until(ctx, func() (bool, error) { return wanted(), nil }); err != nil {
		s.t.Fatalf("never: %s: %v", what, err)
	}
}

// passOf issues a pass of another person in another zone, which another gate
// decides.
func (s *site) passOf(name string, zone int) campus.Pass {
	s.t.Helper()
	today := time.Now().In(s.settings.Location)
	p, err := s.client.Issue(s.t.Context(), campus.PassRequest{
		Kind: "resident_single", Name: name, Doc4: "7788", Uses: 1, Zones: []int{zone},
		From: today.Format(time.DateOnly), Until: today.AddDate(0, 0, 1).Format(time.DateOnly),
	})
	check(s.t, err)
	return p
}

// What a thief of the gate PC has: no issuer key, no code, no token of the
// server. As soon as the agent is revoked it is cut off,
// and its key lets nobody in.
func TestAttack_StolenGatePC(t *testing.T) {
	s := newSite(t, "云岭大学", byRoot)
	g := s.newGate("东门")
	check(t, s.client.Do(t.Context(), http.MethodPost, "/api/v1/zones", map[string]any{"id": 2, "name": "B"}, nil))
	g.enrol()
	g.start()
	p, other := g.issue(), s.passOf("欧阳聿修", 2)
	g.untilOnline()
	if got := g.present(p.Code); got.Reason != verdict.Granted {
		t.Fatalf("presented: %+v", got)
	}
	s.arrived(1)
	g.until("all sent", func(st console.Status) bool { return st.Queue == 0 })

	path := filepath.Join(g.data, agent.StoreName)
	secrets := map[string]string{"the administrator's token": s.client.Token, "another zone's code": other.Code}
	for what, file := range map[string]string{"the seal": "seal.key", "the site root": "root.key"} {
		raw, err := os.ReadFile(filepath.Join(s.settings.Data, file))
		check(t, err)
		secrets[what] = string(raw)
	}
	_, segment, _ := strings.Cut(p.Code, "/V/")
	secrets["a code that was shown here"] = segment
	files, err := filepath.Glob(path + "*")
	check(t, err)
	for _, file := range files {
		raw, err := os.ReadFile(file)
		check(t, err)
		for what, secret := range secrets {
			if secret != "" && bytes.Contains(raw, []byte(secret)) {
				t.Errorf("%s has %s", filepath.Base(file), what)
			}
		}
		if info, err := os.Stat(file); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s may be read by others: %v, %v", filepath.Base(file), info.Mode(), err)
		}
	}

	check(t, s.client.Do(t.Context(), http.MethodPost, "/api/v1/agents/1/revoke", map[string]any{}, nil))
	g.until("cut off", func(st console.Status) bool { return !st.Online && strings.Contains(st.LastError, "unknown_agent") })
	g.stop()
	g.start()
	st := g.until("turned away", func(st console.Status) bool { return strings.Contains(st.LastError, "unknown_agent") })
	if st.Online {
		t.Errorf("status %+v", st)
	}
	// What it still says reaches nobody: the server holds the one event from before.
	g.present(g.issue().Code)
	if all := s.arrived(1); len(all) != 1 {
		t.Errorf("%d events at the server", len(all))
	}
}

// A gate PC whose store was put back from an earlier copy has forgotten whom it
// admitted. As soon as the server says so it decides nothing any more, on the
// disk too; both consoles show why. Enrolled again it decides what is issued
// from then on.
func TestAttack_RolledBackAgentStore(t *testing.T) {
	s := newSite(t, "云岭大学", byRoot)
	g := s.newGate("东门")
	g.enrol()
	g.start()
	g.untilOnline()
	used, unused := g.issue(), g.issue()
	g.stop()
	store := filepath.Join(g.data, agent.StoreName)
	saved := backup(t, store)

	g.start()
	g.untilOnline()
	if got := g.present(used.Code); got.Reason != verdict.Granted {
		t.Fatalf("presented: %+v", got)
	}
	s.arrived(1)
	g.until("all sent", func(st console.Status) bool { return st.Queue == 0 })
	g.stop()
	putBack(t, saved, store)

	g.start()
	g.until("told", func(st console.Status) bool { return strings.Contains(st.LastError, "rewound") })
	s.alarmed("it was restored, so enrol it again")
	refuse := func() {
		t.Helper()
		for _, p := range []campus.Pass{used, unused} {
			s.wait("refused", func() bool {
				got := g.present(p.Code)
				if got.Opens {
					t.Fatalf("presented after the store was put back: %+v", got)
				}
				return got.Reason == verdict.OfflineNotAllowed
			})
		}
	}
	disowned := func() bool {
		db, err := sql.Open("sqlite", store)
		check(t, err)
		defer func() { check(t, db.Close()) }()
		var from int64
		check(t, db.QueryRowContext(t.Context(), "SELECT owns_from FROM gates WHERE id = $1", g.id).Scan(&from))
		return from > time.Now().Unix()*10
	}
	s.wait("it decides nothing any more", disowned)
	refuse()
	// Nor after a restart without a network.
	g.stop()
	s.stop()
	g.start()
	refuse()

	g.stop()
	s.start()
	files, err := filepath.Glob(store + "*")
	check(t, err)
	for _, file := range files {
		check(t, os.Remove(file))
	}
	g.enrol()
	g.start()
	g.untilOnline()
	if got := g.present(used.Code); got.Opens {
		t.Fatalf("a used pass after enrolling again: %+v", got)
	}
	s.wait("it decides what is issued from then on", func() bool { // a second later: passes are dated to the second
		return g.present(g.issue().Code).Reason == verdict.Granted
	})
}

// A database of the server that was put back without gateserver restored: the
// first agent that connects has seen more, and the console says so.
func TestAttack_RolledBackServerDatabase(t *testing.T) {
	s := newSite(t, "云岭大学", byRoot)
	g := s.newGate("东门")
	g.enrol()
	database := filepath.Join(s.settings.Data, server.DatabaseFile)
	saved := backup(t, database)
	for i := range 3 {
		check(t, s.client.Do(t.Context(), http.MethodPatch, "/api/v1/gates/1", map[string]any{"name": fmt.Sprint("北门", i)}, nil))
	}
	g.start()
	g.until("the new name", func(st console.Status) bool { return st.Online && st.Gate.Name == "北门2" })
	s.stop()
	putBack(t, saved, database)
	s.start()
	s.alarmed("an older copy was put back")
}
