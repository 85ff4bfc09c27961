package campus_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"campusgate/agent/desk"
	"campusgate/cmd/internal/campus"
	"campusgate/cmd/internal/campus/campustest"
	"campusgate/devices"
	"campusgate/signing/verdict"
)

// A live code opens once. The same picture again, and the next one, within 10 s
// are the same person; a picture of 40 s ago is somebody's screenshot.
func TestLive_CodeOpensOnceAndAScreenshotNever(t *testing.T) {
	c := start(t, campus.Options{Gates: []string{"东门 East Gate"}})
	gate := c.Gates[0]
	relay, s := campustest.Watch(t, gate), plug(t, gate)
	phone := enrolPhone(t, c, bound(t, c).ID)

	s.scan(t, show(t, phone, -40*time.Second))
	if r := shown(t, gate, 1); r.Reason != verdict.ProofStale {
		t.Fatalf("a screenshot: %+v", r)
	}
	text := show(t, phone, 0)
	s.scan(t, text)
	first := time.Now()
	if r := shown(t, gate, 2); r.Reason != verdict.Granted || r.Repeat || !r.Opens || r.Name != "何思齐" {
		t.Fatalf("the live code: %+v", r)
	}
	relay.Await(t, 1)
	read := time.Now() // by the gate, at the latest

	s.scan(t, show(t, phone, 0))
	if r := shown(t, gate, 3); r.Reason != verdict.Granted || !r.Repeat || r.Opens {
		t.Fatalf("the phone's next code: %+v", r)
	}
	eventually(t, func() (bool, error) { return time.Since(read) > devices.DefaultDebounce, nil })
	s.scan(t, text)
	if r := shown(t, gate, 4); r.Reason != verdict.Granted || !r.Repeat || r.Opens {
		t.Fatalf("the same picture again: %+v", r)
	}
	if gone := time.Since(first); gone > 9*time.Second {
		t.Skipf("this machine is too slow to tell anything: %v", gone)
	}
	if n := relay.Pulses(); n != 1 {
		t.Errorf("%d pulses, want 1", n)
	}
	var reasons []string
	for _, e := range arrived(t, c, 4) {
		if reasons = append(reasons, e.Reason); e.PassID != phone.Pass {
			t.Errorf("the server holds %+v", e)
		}
	}
	if want := []string{"proof_stale", "granted", "granted", "granted"}; !slices.Equal(reasons, want) {
		t.Errorf("the server holds %v, want %v", reasons, want)
	}
}

// The pass moves to another phone. A gate that is connected refuses the old one
// within two seconds, and goes on so without a network; the new one opens.
func TestLive_SecondPhoneEndsTheFirst_AlsoOffline(t *testing.T) {
	c := start(t, campus.Options{})
	east, west := c.Gates[0], c.Gates[1]
	eastRelay, westRelay := campustest.Watch(t, east), campustest.Watch(t, west)
	atEast, atWest := plug(t, east), plug(t, west)
	pass := bound(t, c)
	old := enrolPhone(t, c, pass.ID)

	atEast.scan(t, show(t, old, 0))
	eastRelay.Await(t, 1)
	next := enrolPhone(t, c, pass.ID)
	moved := time.Now()
	for n := 2; ; n++ { // within 10 s of the admission: what is not refused is a repeat
		atEast.scan(t, show(t, old, 0))
		r := shown(t, east, n)
		if r.Reason == verdict.Revoked {
			break
		}
		if !r.Repeat {
			t.Fatalf("the first phone: %+v", r)
		}
		if late := time.Since(moved); late > 2*time.Second {
			t.Fatalf("the first phone is still accepted after %v", late)
		}
	}
	t.Logf("refused %v after the second phone enrolled", time.Since(moved))

	eventually(t, func() (bool, error) {
		a, err := east.Status(t.Context())
		if err != nil {
			return false, err
		}
		b, err := west.Status(t.Context())
		return err == nil && a.Snapshot.Revision == b.Snapshot.Revision, err
	})
	c.Network.Cut(true)
	eventually(t, func() (bool, error) {
		s, err := west.Status(t.Context())
		return err == nil && !s.Online, err
	})
	atWest.scan(t, show(t, old, 0))
	if r := shown(t, west, 1); r.Reason != verdict.Revoked || !r.Offline {
		t.Errorf("the first phone without a network: %+v", r)
	}
	atWest.scan(t, show(t, next, 0))
	if r := shown(t, west, 2); r.Reason != verdict.Granted || !r.Opens || !r.Offline {
		t.Errorf("the second phone without a network: %+v", r)
	}
	westRelay.Await(t, 1)
	c.Network.Cut(false)

	// In what order two gates upload what they have is nobody's business.
	eventually(t, func() (bool, error) {
		list, _, err := c.Client.Events(t.Context(), 0)
		return slices.ContainsFunc(list, func(e campus.Event) bool {
			return e.Gate == west.ID && e.Reason == "granted" && e.Offline
		}), err
	})
	if e, w := eastRelay.Pulses(), westRelay.Pulses(); e != 1 || w != 1 {
		t.Errorf("%d pulses at the east gate and %d at the west gate, want one each", e, w)
	}
}

// bound issues a work pass for a phone.
func bound(t *testing.T, c *campus.Campus) campus.Pass {
	t.Helper()
	zone := time.FixedZone("Asia/Shanghai", 8*3600)
	p, err := c.Client.Issue(t.Context(), campus.PassRequest{
		Kind: "work", Name: "何思齐", Doc4: "7740", Zones: []int{1}, Bound: true,
		From: time.Now().In(zone).Format(time.DateOnly), Until: time.Now().In(zone).AddDate(0, 1, 0).Format(time.DateOnly),
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func enrolPhone(t *testing.T, c *campus.Campus, pass string) *campus.Phone {
	t.Helper()
	p, err := c.Client.EnrolPhone(t.Context(), pass)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// show is the phone's code of so much later than now.
func show(t *testing.T, p *campus.Phone, later time.Duration) string {
	t.Helper()
	text, err := p.Code(time.Now().Add(later))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// shown waits until a gate has shown n verdicts and gives the last.
func shown(t testing.TB, g *campus.Gate, n int) desk.Result {
	t.Helper()
	agent := campus.Client{Base: strings.TrimSuffix(g.URL, "/")}
	var in struct {
		Scans []desk.Result `json:"scans"` // newest first
	}
	eventually(t, func() (bool, error) {
		err := agent.Do(t.Context(), http.MethodGet, "/api/v1/scans", nil, &in)
		return len(in.Scans) >= n, err
	})
	if len(in.Scans) != n {
		t.Fatalf("%d verdicts, want %d", len(in.Scans), n)
	}
	return in.Scans[0]
}

func eventually(t testing.TB, check func() (bool, error)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := campus.Until(ctx, check); err != nil {
		t.Fatal(err)
	}
}
