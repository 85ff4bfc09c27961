package shift_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"campusgate/agent/desk"
	"campusgate/agent/shift"
	"campusgate/signing/pin"
	"campusgate/signing/wire"
)

// keeper keeps who is on duty.
type keeper struct {
	on   desk.Shift
	fail error
}

func (d *keeper) Begin(_ context.Context, number, name string) (desk.Shift, error) {
	if d.fail == nil {
		d.on = desk.Shift{Number: number, Name: name, Since: 1}
	}
	return d.on, d.fail
}

func (d *keeper) End(context.Context) error { d.on = desk.Shift{}; return d.fail }

func (d *keeper) Shift() desk.Shift { return d.on }

// post is a gate with one guard, G21 with the PIN 470318.
type post struct {
	*shift.Logins
	desk   *keeper
	guards map[string]wire.Guard
	at     time.Duration
}

func newPost(t *testing.T) *post {
	t.Helper()
	hash, err := pin.Make(strings.NewReader("sixteen bytes of"), "470318")
	if err != nil {
		t.Fatal(err)
	}
	p := &post{desk: &keeper{}, guards: map[string]wire.Guard{"G21": {Name: "秦砚书", Hash: hash}}}
	p.Logins = shift.New(shift.Deps{
		Desk: p.desk, Elapsed: func() time.Duration { return p.at },
		Guard: func(number string) (wire.Guard, bool) { g, ok := p.guards[number]; return g, ok },
	})
	return p
}

func (p *post) begin(t *testing.T, number, digits string, want error) {
	t.Helper()
	if _, err := p.Begin(t.Context(), number, digits); !errors.Is(err, want) {
		t.Fatalf("%s %s: %v, want %v", number, digits, err, want)
	}
}

func TestBegin_CQ079_NumberAndPINWithoutNetwork(t *testing.T) {
	p := newPost(t)
	for _, wrong := range [][2]string{{"G21", "470319"}, {"G22", "470318"}, {"", ""}, {"' OR 1=1 --", "470318"}} {
		p.begin(t, wrong[0], wrong[1], shift.ErrPIN)
		if p.On() != (desk.Shift{}) {
			t.Fatalf("on duty: %+v", p.On())
		}
	}
	s, err := p.Begin(t.Context(), "G21", "470318")
	if err != nil || s.Name != "秦砚书" || p.On().Number != "G21" {
		t.Fatalf("%+v %v", s, err)
	}
	if err := p.End(t.Context()); err != nil || p.On() != (desk.Shift{}) {
		t.Fatalf("%+v %v", p.On(), err)
	}
}

func TestBegin_FiveWrongLockForAMinute(t *testing.T) {
	p := newPost(t)
	for range shift.Tries {
		p.begin(t, "G21", "999999", shift.ErrPIN)
	}
	var locked *shift.LockedError
	p.at += 59 * time.Second
	if _, err := p.Begin(t.Context(), "G21", "470318"); !errors.As(err, &locked) || locked.Wait != time.Second {
		t.Fatalf("the right PIN while locked: %v", err)
	}
	p.at += time.Second
	p.begin(t, "G21", "470318", nil)
	// The right one in between starts the count anew.
	for range 2 {
		for range shift.Tries - 1 {
			p.begin(t, "G21", "999999", shift.ErrPIN)
		}
		p.begin(t, "G21", "470318", nil)
	}
}

func TestBegin_AFaultIsNoWrongPIN(t *testing.T) {
	p := newPost(t)
	p.desk.fail = desk.ErrStore
	for range shift.Tries + 1 {
		p.begin(t, "G21", "470318", desk.ErrStore)
	}
	p.guards["G21"] = wire.Guard{Hash: "broken"}
	p.begin(t, "G21", "470318", pin.ErrHash)
}

func TestReview_TakesWhoIsNoGuardAnyMoreOffDuty(t *testing.T) {
	p := newPost(t)
	review := func() {
		t.Helper()
		if err := p.Review(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	review()
	p.begin(t, "G21", "470318", nil)
	review()
	if p.On().Number != "G21" {
		t.Fatal("taken off duty for nothing")
	}
	delete(p.guards, "G21")
	review()
	if p.On() != (desk.Shift{}) {
		t.Fatalf("on duty: %+v", p.On())
	}
}

// Whoever knows one PIN may still be guessing at another.
func TestCheck_OnesOwnPINDoesNotForgiveGuessesAtAnother(t *testing.T) {
	p := newPost(t)
	hash, err := pin.Make(strings.NewReader("sixteen more byt"), "806142")
	if err != nil {
		t.Fatal(err)
	}
	p.guards["S01"] = wire.Guard{Name: "沈望", Hash: hash, Supervisor: true}
	for i := range shift.Tries {
		if _, err := p.Check("S01", "999998"); !errors.Is(err, shift.ErrPIN) {
			t.Fatalf("guess %d: %v", i+1, err)
		}
		if _, err := p.Check("G21", "470318"); err != nil && i < shift.Tries-1 {
			t.Fatalf("their own, after guess %d: %v", i+1, err)
		}
	}
	var locked *shift.LockedError
	if _, err := p.Check("S01", "806142"); !errors.As(err, &locked) {
		t.Errorf("after %d guesses: %v", shift.Tries, err)
	}
}
