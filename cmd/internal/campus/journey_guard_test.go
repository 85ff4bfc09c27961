package campus_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"campusgate/cmd/internal/campus"
	"campusgate/cmd/internal/campus/campustest"
)

// A guard without a gate PC scans a resident's code with any phone. Whoever is
// not signed in learns nothing from the address; the guard sees the pass and
// admits; at the gate it is used up.
func TestJourney_CQ078_CQ079_CQ080_CQ081_CQ082_GuardAdmitsByPhone(t *testing.T) {
	t.Parallel()
	c, line := populated(t)
	gate := c.Gates[0]
	relay := campustest.Watch(t, gate)
	made, err := c.Client.Issue(t.Context(), campus.PassRequest{
		Kind: "resident_single", Name: "林国栋", Doc4: "0217",
		From: today(0).Format("2006-01-02"), Until: today(0).Format("2006-01-02"), Uses: 1, Zones: []int{1}, OwnerGate: gate.ID,
	})
	if err != nil {
		t.Fatal(err)
	}
	_, path, _ := strings.Cut(made.Code, "/V/")
	browser := chromium(t)

	p := phone(t, browser, "http://"+line.Addr())
	p.open("/V/" + path)
	p.says("门卫登录")
	if at := eval[string](p, `location.pathname`); at != "/V/" {
		t.Errorf("the address still says %.20q", at)
	}
	nothingOf(p, made.ID, "林国栋", "0217", "松林坡", path)
	p.tap("门卫登录")
	p.until(`location.pathname === '/m/login'`)
	signInByPhone(p, c, guardPhone)
	p.says("验证通过")
	for _, words := range []string{"林国栋", "0217", "东门 East Gate", today(0).Format("2006-01-02"), "0 / 1"} {
		p.says(words)
	}
	p.tap("同意通行")
	p.until(`document.querySelector('[data-stage=done] [data-face=granted]')`)
	events := scans(arrived(t, c, 1))
	if e := events[0]; e.Reason != "granted" || e.PassID != made.ID || e.Gate != gate.ID {
		t.Errorf("the server holds %+v", e)
	}

	plug(t, gate).scan(t, made.Code)
	eventually(t, func() (bool, error) {
		all, _, err := c.Client.Events(t.Context(), 0)
		events = scans(all)
		return len(events) == 2, err
	})
	if e := events[1]; e.Reason != "already_used" || e.Gate != gate.ID {
		t.Errorf("the gate decided %+v", e)
	}
	if n := relay.Pulses(); n != 0 {
		t.Errorf("the gate opened %d times", n)
	}

	other := phone(t, browser, "http://"+line.Addr())
	other.open("/m/login")
	signInByPhone(other, c, residentPhone)
	other.until(`location.pathname === '/m/passes'`)
	other.open("/V/" + path)
	other.says("只有在岗门卫可以查验通行码")
	nothingOf(other, made.ID, "0217", path)
	spouse, err := c.SignIn(t.Context(), spousePhone)
	if err != nil {
		t.Fatal(err)
	}
	var refused *campus.Refusal
	err = spouse.Do(t.Context(), http.MethodPost, "/api/v1/verify", map[string]string{"code": path}, nil)
	if !errors.As(err, &refused) || refused.Status != http.StatusForbidden {
		t.Errorf("a resident who asks: %v", err)
	}
}

// nothingOf holds that neither the page nor any answer to it has these words.
func nothingOf(p *tab, words ...string) {
	p.Helper()
	told := p.answers()
	if len(told) < 2 {
		p.Fatalf("only %d answers were seen", len(told))
	}
	told = append(told, answer{path: "the page", body: eval[string](p, `document.documentElement.outerHTML`)})
	for _, a := range told {
		for _, w := range words {
			if strings.Contains(a.body, w) {
				p.Errorf("%.40s tells %q", a.path, w)
			}
		}
	}
}
