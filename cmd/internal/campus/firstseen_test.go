package campus_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"campusgate/agent/desk"
	"campusgate/agent/snapshot"
	"campusgate/cmd/internal/campus"
	"campusgate/cmd/internal/campus/campustest"
	"campusgate/signing/verdict"
)

// Two gates of first_seen that reach nobody: the guard at one agrees by a key of
// the page, the one at the other as well, and the server tells of both as soon as
// it has heard of them.
func TestFirstSeen_AGuardAgreesWhileTheGateIsCutOffAndADoubleIsReported(t *testing.T) {
	c := start(t, campus.Options{})
	east, west := c.Gates[0], c.Gates[1]
	eastRelay, westRelay := campustest.Watch(t, east), campustest.Watch(t, west)
	for _, g := range c.Gates {
		policy := map[string]any{"policy": "first_seen", "offline": map[string]any{"max": 5, "max_age_minutes": 60, "confirm": "guard"}}
		if err := c.Client.Do(t.Context(), http.MethodPatch, fmt.Sprintf("/api/v1/gates/%d", g.ID), policy, nil); err != nil {
			t.Fatal(err)
		}
	}
	passes := campustest.Issue(t, c, east, 2)
	for _, g := range c.Gates {
		for _, pass := range passes { // and so, since it came before, the policy
			eventually(t, func() (bool, error) {
				var found struct{ Passes []snapshot.Found }
				err := local(g).Do(t.Context(), http.MethodGet, "/api/v1/passes?q="+pass.ID, nil, &found)
				return len(found.Passes) == 1, err
			})
		}
	}
	c.Network.Cut(true)
	knowsOffline(t, east)
	knowsOffline(t, west)

	page := office(t, chromium(t), strings.TrimSuffix(east.URL, "/"))
	page.open("/")
	page.until(`document.querySelector('[data-chip]')`)
	page.do(chromedp.KeyEvent("x")) // the sound
	asks(t, east, passes[0])
	page.until(`document.querySelector('.verdict[data-face=confirm]')?.innerText.includes('联系不上其他校门')`)
	if n := eastRelay.Pulses(); n != 0 {
		t.Fatalf("opened %d times before anybody agreed", n)
	}
	page.do(chromedp.KeyEvent("y"))
	page.until(`[...document.querySelectorAll('.recent li[data-face=attention]')].some((row) => row.innerText.includes('未能向各处确认'))`)
	eastRelay.Await(t, 1)
	asks(t, east, passes[1])
	page.until(`document.querySelector('.verdict[data-face=confirm]')`)
	page.do(chromedp.KeyEvent(kb.Escape))
	page.until(`document.querySelector('.recent li[data-face=denied]')`)

	id := asks(t, west, passes[0])
	var r desk.Result
	if err := local(west).Do(t.Context(), http.MethodPost, "/api/v1/scans/"+id+"/answer", map[string]any{"confirm": true}, &r); err != nil {
		t.Fatal(err)
	}
	westRelay.Await(t, 1)
	if n := eastRelay.Pulses(); n != 1 {
		t.Errorf("the east gate opened %d times", n)
	}

	c.Network.Cut(false)
	eventually(t, func() (bool, error) {
		all, _, err := c.Client.Events(t.Context(), 0)
		marked := map[uint16]int{}
		for _, e := range all {
			if e.PassID == passes[0].ID && e.Reason == "granted" && e.Mark == "unconfirmed" {
				marked[e.Gate]++
			}
		}
		return marked[east.ID] == 1 && marked[west.ID] == 1, err
	})
	eventually(t, func() (bool, error) {
		var list struct {
			Conflicts []struct {
				PassID     string `json:"pass_id"`
				Admissions []struct {
					Gate    uint16
					Mode    verdict.Mode
					Offline bool
				}
			}
		}
		err := c.Client.Do(t.Context(), http.MethodGet, "/api/v1/conflicts", nil, &list)
		if err != nil || len(list.Conflicts) != 1 || len(list.Conflicts[0].Admissions) != 2 {
			return false, err
		}
		for i, a := range list.Conflicts[0].Admissions {
			if a.Gate != c.Gates[i].ID || a.Mode != verdict.FirstSeen || !a.Offline {
				return false, nil // the journal of one may still be on its way
			}
		}
		return list.Conflicts[0].PassID == passes[0].ID, nil
	})
}

// asks presents a pass until the guard is asked whether it comes in unconfirmed,
// and gives the scan. Straight after a cut the gate has promised not to act alone.
func asks(t *testing.T, g *campus.Gate, pass campus.Pass) (id string) {
	t.Helper()
	scanner := plug(t, g)
	scanner.scan(t, pass.Code)
	refused := map[string]bool{}
	eventually(t, func() (bool, error) {
		var list struct{ Scans []desk.Result }
		err := local(g).Do(t.Context(), http.MethodGet, "/api/v1/scans", nil, &list)
		if err != nil || len(list.Scans) == 0 || list.Scans[0].Pass.String() != pass.ID {
			return false, err
		}
		last := list.Scans[0]
		if last.Reason == verdict.OfflineNotAllowed && !refused[last.ID] {
			refused[last.ID] = true
			scanner.scan(t, pass.Code)
		}
		id = last.ID
		return last.Need == verdict.NeedConfirm, nil
	})
	return id
}
