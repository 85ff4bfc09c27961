package auth_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"campusgate/server/auth"
	"campusgate/server/people"
	"campusgate/server/store"
)

const mobile = "13800130001"

func TestPhone_CQ041_CodeBySMSLetsSomebodyNewInAsAResident(t *testing.T) {
	c := newCampus(t)
	ok(t, c.SendCode(t.Context(), " +86 138-0013-0001 "))
	code := c.sms.last(mobile)
	if len(code) != 6 || strings.Trim(code, "0123456789") != "" {
		t.Fatalf("code %q", code)
	}
	e, err := c.EnterByPhone(t.Context(), mobile, code, auth.Client{})
	ok(t, err)
	p, err := c.people.Details(t.Context(), c.db.Reader(), e.Caller.Person)
	ok(t, err)
	if p.Kind != people.Resident || p.Phone != mobile || e.Caller.Scopes.String() != "self" {
		t.Errorf("%+v with %s", p, e.Caller.Scopes)
	}
	c.pass(time.Hour)
	if again := c.byPhone(t, mobile); again.Caller.Person != p.ID {
		t.Errorf("the next login is of %s, not %s", again.Caller.Person, p.ID)
	}
}

func TestPhone_CQ042_EachLoginNeedsAFreshCodeAndTheSessionStays(t *testing.T) {
	c := newCampus(t)
	e := c.byPhone(t, mobile)
	code := c.sms.last(mobile)
	_, err := c.EnterByPhone(t.Context(), mobile, code, auth.Client{})
	refused(t, err, auth.ErrCode)
	if _, err := c.EnterByPassword(t.Context(), e.Caller.Person, code, auth.Client{}); !errors.Is(err, auth.ErrCredentials) {
		t.Errorf("the code as a password: %v", err)
	}
	if has, err := c.HasPassword(t.Context(), e.Caller.Person); err != nil || has {
		t.Errorf("a password came about: %v, %v", has, err)
	}
	c.pass(89 * day)
	_, err = c.Check(t.Context(), e.Cookie)
	ok(t, err)
}

func TestPhone_StaffAreThemselves(t *testing.T) {
	c := newCampus(t)
	c.add(t, "20260001", mobile, people.Post{Role: people.Desk})
	e := c.byPhone(t, mobile)
	if e.Caller.Person != "20260001" || !e.Caller.May(auth.Desk) || e.Caller.Actor != "person 20260001" {
		t.Errorf("caller %+v", e.Caller)
	}
}

func TestPhone_ACodeIsGoodForFiveMinutesAndFiveTries(t *testing.T) {
	c := newCampus(t)
	wrong := func(code string) string {
		if code == "000000" {
			return "000001"
		}
		return "000000"
	}
	ok(t, c.SendCode(t.Context(), mobile))
	code := c.sms.last(mobile)
	for range 4 {
		_, err := c.EnterByPhone(t.Context(), mobile, wrong(code), auth.Client{})
		refused(t, err, auth.ErrCode)
	}
	_, err := c.EnterByPhone(t.Context(), mobile, code, auth.Client{})
	ok(t, err)

	c.pass(time.Minute)
	ok(t, c.SendCode(t.Context(), mobile))
	code = c.sms.last(mobile)
	for range 5 {
		_, err := c.EnterByPhone(t.Context(), mobile, wrong(code), auth.Client{})
		refused(t, err, auth.ErrCode)
	}
	_, err = c.EnterByPhone(t.Context(), mobile, code, auth.Client{})
	refused(t, err, auth.ErrCode)

	c.pass(time.Minute)
	ok(t, c.SendCode(t.Context(), mobile))
	c.pass(auth.CodeLife)
	_, err = c.EnterByPhone(t.Context(), mobile, c.sms.last(mobile), auth.Client{})
	refused(t, err, auth.ErrCode)
}

func TestPhone_AnotherCodeEndsTheOneBefore(t *testing.T) {
	c := newCampus(t)
	ok(t, c.SendCode(t.Context(), mobile))
	first := c.sms.last(mobile)
	c.pass(time.Minute)
	ok(t, c.SendCode(t.Context(), mobile))
	_, err := c.EnterByPhone(t.Context(), mobile, first, auth.Client{})
	refused(t, err, auth.ErrCode)
	_, err = c.EnterByPhone(t.Context(), mobile, c.sms.last(mobile), auth.Client{})
	ok(t, err)
}

// Many guesses at once are five as well, and one code makes one session.
func TestPhone_TriesAtOnceAreCountedToo(t *testing.T) {
	c := newCampus(t)
	ok(t, c.SendCode(t.Context(), mobile))
	code := c.sms.last(mobile)
	var entered atomic.Int32
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if _, err := c.EnterByPhone(t.Context(), mobile, code, auth.Client{}); err == nil {
				entered.Add(1)
			}
		})
	}
	all.Wait()
	if entered.Load() != 1 {
		t.Errorf("%d sessions of one code", entered.Load())
	}
}

func TestPhone_SendingIsLimited(t *testing.T) {
	c := newCampus(t)
	wait := func(want time.Duration) {
		t.Helper()
		err := c.SendCode(t.Context(), mobile)
		var w *auth.Wait
		if !errors.As(err, &w) || !errors.Is(err, auth.ErrTooMany) || w.After != want {
			t.Fatalf("got %v, want a wait of %s", err, want)
		}
	}
	for range 4 {
		ok(t, c.SendCode(t.Context(), mobile))
		wait(time.Minute)
		c.pass(time.Minute)
	}
	ok(t, c.SendCode(t.Context(), mobile))
	wait(56 * time.Minute)
	c.pass(time.Minute)
	wait(55 * time.Minute)
	ok(t, c.SendCode(t.Context(), "13800130002")) // another phone need not wait
	c.pass(55 * time.Minute)
	for range 5 {
		ok(t, c.SendCode(t.Context(), mobile))
		c.pass(time.Hour)
	}
	wait(18 * time.Hour)
	// Nor does another purpose get round it.
	e := c.byPhone(t, "13800130003")
	refused(t, c.SendPhoneCode(t.Context(), e.Caller.Person, mobile), auth.ErrTooMany)
	c.pass(18 * time.Hour)
	ok(t, c.SendCode(t.Context(), mobile))
	if n := len(c.sms.codes[mobile]); n != 11 {
		t.Errorf("%d messages", n)
	}
}

// Rapid: whatever the moments at which somebody asks, a phone never gets two
// codes in a minute, six in an hour or eleven in a day.
func TestPhone_LimitsHoldAtAnyPace(t *testing.T) {
	c := newCampus(t)
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		phone := fmt.Sprintf("139%08d", n)
		var sent []time.Time
		for _, gap := range rapid.SliceOfN(rapid.Int64Range(1, 4000), 1, 30).Draw(rt, "gaps") {
			c.pass(time.Duration(gap) * time.Second)
			if err := c.SendCode(t.Context(), phone); err == nil {
				sent = append(sent, c.time())
			} else if !errors.Is(err, auth.ErrTooMany) {
				rt.Fatal(err)
			}
		}
		for _, limit := range []struct {
			n    int
			each time.Duration
		}{{1, time.Minute}, {5, time.Hour}, {10, day}} {
			for i := limit.n; i < len(sent); i++ {
				if sent[i].Sub(sent[i-limit.n]) < limit.each {
					rt.Fatalf("%d within %s", limit.n+1, limit.each)
				}
			}
		}
	})
}

func TestPhone_NumbersThatAreNoneAreRefusedAndNothingIsKept(t *testing.T) {
	c := newCampus(t)
	before := c.dump(t)
	for _, phone := range []string{
		"", "1380013000", "138001300011", "12800130001", "+1 5551234567", "1380013000x", "=1+1", "'; DROP TABLE codes; --",
		"\xff\xfe", "📱", "\u202e13800130001", strings.Repeat("1", 10_000), "<script>",
	} {
		refused(t, c.SendCode(t.Context(), phone), people.ErrInvalid)
		_, err := c.EnterByPhone(t.Context(), phone, "123456", auth.Client{})
		refused(t, err, people.ErrInvalid)
	}
	if c.dump(t) != before {
		t.Error("something was kept")
	}
	for _, code := range []string{"", "123", "=123456", strings.Repeat("1", 10_000), "\xff", "１２３４５６"} {
		_, err := c.EnterByPhone(t.Context(), mobile, code, auth.Client{})
		refused(t, err, auth.ErrCode)
	}
}

func TestPhone_NeitherPhoneNorCodeIsInTheDatabaseInPlain(t *testing.T) {
	c := newCampus(t)
	c.byPhone(t, "13800130002")
	ok(t, c.SendCode(t.Context(), mobile))
	dump := c.dump(t)
	for _, secret := range []string{mobile, "13800130002", c.sms.last(mobile)} {
		if strings.Contains(dump, secret) {
			t.Errorf("%s is there", secret)
		}
	}
}

// The gateway fails, or has sent the code and could not say so.
func TestPhone_GatewayFaults(t *testing.T) {
	c := newCampus(t)
	c.sms.fault = errors.New("no route")
	refused(t, c.SendCode(t.Context(), mobile), auth.ErrSending)
	if c.sms.last(mobile) != "" {
		t.Fatal("a code arrived")
	}
	c.pass(time.Minute)
	c.sms.lost = true
	refused(t, c.SendCode(t.Context(), mobile), auth.ErrSending)
	_, err := c.EnterByPhone(t.Context(), mobile, c.sms.last(mobile), auth.Client{})
	ok(t, err)
}

func TestPhone_WithoutAGatewayTheWayIsOff(t *testing.T) {
	c := newCampus(t)
	c.Texter = nil
	refused(t, c.SendCode(t.Context(), mobile), auth.ErrNoWay)
	_, err := c.EnterByPhone(t.Context(), mobile, "123456", auth.Client{})
	refused(t, err, auth.ErrNoWay)
	refused(t, c.SetPhone(t.Context(), auth.Caller{Person: "x"}, mobile, "123456"), auth.ErrNoWay)
}

func TestSetPhone_CM053_NeedsTheCodeOfThatPurposeAndPhone(t *testing.T) {
	c := newCampus(t)
	c.add(t, "20260001", mobile)
	c.add(t, "20260002", "13800130002")
	other, me := c.byPhone(t, mobile), c.enter(t, "20260001")
	const fresh = "13800130009"
	ok(t, c.SendCode(t.Context(), fresh)) // a code to sign in with
	refused(t, c.SetPhone(t.Context(), me.Caller, fresh, c.sms.last(fresh)), auth.ErrCode)
	c.pass(time.Minute)
	ok(t, c.SendPhoneCode(t.Context(), "20260002", fresh)) // somebody else's
	refused(t, c.SetPhone(t.Context(), me.Caller, fresh, c.sms.last(fresh)), auth.ErrCode)
	c.pass(time.Minute)
	ok(t, c.SendPhoneCode(t.Context(), "20260001", fresh))
	code := c.sms.last(fresh)
	refused(t, c.SetPhone(t.Context(), me.Caller, "13800130008", code), auth.ErrCode)
	_, err := c.EnterByPhone(t.Context(), fresh, code, auth.Client{}) // nor does it sign in
	refused(t, err, auth.ErrCode)
	ok(t, c.SetPhone(t.Context(), me.Caller, fresh, code))
	p, err := c.people.Details(t.Context(), c.db.Reader(), "20260001")
	ok(t, err)
	if p.Phone != fresh {
		t.Errorf("phone %s", p.Phone)
	}
	_, err = c.Check(t.Context(), me.Cookie)
	ok(t, err)
	_, err = c.Check(t.Context(), other.Cookie) // perhaps on the phone that was lost
	refused(t, err, auth.ErrNoSession)

	ok(t, c.SendPhoneCode(t.Context(), "20260001", "13800130002"))
	refused(t, c.SetPhone(t.Context(), me.Caller, "13800130002", c.sms.last("13800130002")), store.ErrTaken)
}

func TestSetMail_CM052_IsCheckedAndKept(t *testing.T) {
	c := newCampus(t)
	c.add(t, "20260001", "")
	me := c.enter(t, "20260001").Caller
	for _, bad := range []string{"x", "a@b", "a b@example.edu", "=1+1@", "\xff@example.edu", "a@example.edu\r\nBcc: b@example.edu", strings.Repeat("a", 300) + "@example.edu"} {
		refused(t, c.SetMail(t.Context(), me, bad), people.ErrInvalid)
	}
	ok(t, c.SetMail(t.Context(), me, "lin@example.edu"))
	p, err := c.people.Find(t.Context(), c.db.Reader(), "20260001")
	ok(t, err)
	if p.Mail != "lin@example.edu" {
		t.Errorf("mail %q", p.Mail)
	}
}
