package auth_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"campusgate/server/auth"
)

// Whoever has as many addresses and phones as they like: all phones together
// get so many codes within an hour, and no change or purpose gets around it.
func TestAttack_SMSBombing_TheHourlyBudgetHolds(t *testing.T) {
	c := newCampus(t)
	c.add(t, "20260001", "13800130099")
	c.Hourly = 20
	sent := func() (n int) {
		for i := range 40 {
			switch err := c.SendCode(t.Context(), fmt.Sprintf("1390013%04d", i)); {
			case err == nil:
				n++
			case !errors.Is(err, auth.ErrBudget) && !errors.Is(err, auth.ErrTooMany):
				t.Fatal(err)
			}
		}
		return n
	}
	if n := sent(); n != 20 {
		t.Errorf("%d codes were sent", n)
	}
	refused(t, c.SendPhoneCode(t.Context(), "20260001", "13800130088"), auth.ErrBudget)
	refused(t, c.SendCardCode(t.Context(), "20260001"), auth.ErrBudget)
	// Passwords and sign-on services are another way in.
	c.password(t, "20260001", "correct horse battery")
	if _, err := c.EnterByPassword(t.Context(), "20260001", "correct horse battery", auth.Client{}); err != nil {
		t.Error(err)
	}
	c.pass(59 * time.Minute)
	if n := sent(); n != 0 {
		t.Errorf("%d codes within the same hour", n)
	}
	c.pass(2 * time.Minute)
	if n := sent(); n != 20 {
		t.Errorf("%d codes an hour later", n)
	}
}

// A number that somebody has, that somebody has without a password, and that
// nobody has cost the same work: each waits for its turn at the hash, and gives
// up when its caller does.
func TestAttack_Enumeration_NumbersOfNobodyCostAHashToo(t *testing.T) {
	c := newCampus(t)
	c.add(t, "20260001", "")
	c.add(t, "20260002", "")
	c.password(t, "20260001", "correct horse battery")
	release := c.OccupyHasher()
	defer release()
	for _, number := range []string{"20260001", "20260002", "nobody"} {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		if _, err := c.EnterByPassword(ctx, number, "wrong", auth.Client{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s was answered without a hash: %v", number, err)
		}
		cancel()
	}
}
