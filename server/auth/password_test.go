package auth_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"campusgate/server/auth"
	"campusgate/server/people"
	"campusgate/server/store"
)

const (
	number = "20260001"
	phrase = "correct horse battery"
)

func (c *campus) byPassword(t testing.TB, number, password string) auth.Entry {
	t.Helper()
	e, err := c.EnterByPassword(t.Context(), number, password, auth.Client{})
	ok(t, err)
	return e
}

func TestPassword_CM013_CM014_InitialIsRandomAndMustBeChanged(t *testing.T) {
	c := newCampus(t)
	c.add(t, number, mobile)
	initial, err := c.Initial(t.Context(), root, number)
	ok(t, err)
	second, err := c.Initial(t.Context(), root, number)
	ok(t, err)
	if initial == second || len(second) < 14 || strings.Contains("53010219900307202X", second) {
		t.Fatalf("initial passwords %q, %q", initial, second)
	}
	_, err = c.EnterByPassword(t.Context(), number, initial, auth.Client{})
	refused(t, err, auth.ErrCredentials)
	e := c.byPassword(t, " "+number+" ", second)
	if !e.Caller.MustChange {
		t.Fatal("it need not be changed")
	}
	// Who proves otherwise who they are is not held up.
	if c.enter(t, number).Caller.MustChange || c.byPhone(t, mobile).Caller.MustChange {
		t.Error("a login without the password asks for its change")
	}
	ok(t, c.ChangePassword(t.Context(), e.Caller, second, phrase, auth.Client{}))
	caller, err := c.Check(t.Context(), e.Cookie)
	ok(t, err)
	if caller.MustChange {
		t.Error("it still must be changed")
	}
	if e := c.byPassword(t, number, phrase); e.Caller.MustChange || e.Lasting {
		t.Errorf("entry %+v", e)
	}
	if dump := c.dump(t); strings.Contains(dump, phrase) || strings.Contains(dump, second) || !strings.Contains(dump, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Error("how passwords are kept")
	}
}

func TestPassword_CM015_StaysUntilItIsChanged(t *testing.T) {
	c := newCampus(t)
	c.add(t, number, "")
	c.password(t, number, phrase)
	c.pass(200 * day)
	c.byPassword(t, number, phrase)
}

func TestPassword_CM051_ChangingEndsTheOtherSessions(t *testing.T) {
	c := newCampus(t)
	c.add(t, number, mobile)
	c.password(t, number, phrase)
	other, mine := c.byPhone(t, mobile), c.byPassword(t, number, phrase)
	refused(t, c.ChangePassword(t.Context(), mine.Caller, "not it", "another long phrase", auth.Client{}), auth.ErrCredentials)
	refused(t, c.ChangePassword(t.Context(), mine.Caller, phrase, phrase, auth.Client{}), people.ErrInvalid)
	ok(t, c.ChangePassword(t.Context(), mine.Caller, phrase, "another long phrase", auth.Client{}))
	_, err := c.Check(t.Context(), mine.Cookie)
	ok(t, err)
	_, err = c.Check(t.Context(), other.Cookie)
	refused(t, err, auth.ErrNoSession)
	_, err = c.EnterByPassword(t.Context(), number, phrase, auth.Client{})
	refused(t, err, auth.ErrCredentials)
	c.byPassword(t, number, "another long phrase")
}

func TestPassword_AResidentMaySetAFirstOne(t *testing.T) {
	c := newCampus(t)
	e := c.byPhone(t, mobile)
	ok(t, c.ChangePassword(t.Context(), e.Caller, "", phrase, auth.Client{}))
	c.byPassword(t, e.Caller.Person, phrase)
	refused(t, c.ChangePassword(t.Context(), e.Caller, "", "another long phrase", auth.Client{}), auth.ErrCredentials)
}

func TestPassword_GuessableOnesAreRefused(t *testing.T) {
	c := newCampus(t)
	c.add(t, number, mobile)
	e := c.enter(t, number)
	for name, bad := range map[string]string{
		"A-16": "12345678", "empty": "", "nine": "abcdef78!", "long": strings.Repeat("长", 129), "huge": strings.Repeat("a1b2c3", 2000),
		"number": number + "ab", "phone": mobile, "tail of the phone": "a00130001b", "ID number": "53010219900307202x", "its last six": "Yd@07202X..",
		"name": "林晓岚林晓岚林晓岚林晓岚", "well known": "password123", "twice": "1234567812345678", "in capitals": "QWERTYUIOP", "one letter": "aaaaaaaaaaaa",
		"few letters": "abababababab", "not text": "\xff\xfe\xfdabcdefghij", "A-16 with a tail": "12345678abc",
	} {
		err := c.ChangePassword(t.Context(), e.Caller, "", bad, auth.Client{})
		var f *people.Fault
		if !errors.As(err, &f) || f.Field != "new" || f.ZH == "" || f.EN == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if has, err := c.HasPassword(t.Context(), number); err != nil || has {
		t.Fatalf("one was kept: %v %v", has, err)
	}
	for _, good := range []string{phrase, "我家门前有一条小河流过", "=1+1; DROP TABLE--", "🐎🔋🧷 stapled ok", "12345678 is not my code"} {
		initial, err := c.Initial(t.Context(), root, number)
		ok(t, err)
		e = c.byPassword(t, number, initial)
		if err := c.ChangePassword(t.Context(), e.Caller, initial, good, auth.Client{}); err != nil {
			t.Errorf("%s: %v", good, err)
			continue
		}
		c.byPassword(t, number, good)
	}
}

func TestPassword_FiveWrongOnesLockFor15Minutes(t *testing.T) {
	c := newCampus(t)
	c.add(t, number, mobile)
	c.password(t, number, phrase)
	for _, who := range []string{number, "nobody"} {
		for range 5 {
			_, err := c.EnterByPassword(t.Context(), who, "wrong", auth.Client{})
			refused(t, err, auth.ErrCredentials)
		}
		var w *auth.Wait
		_, err := c.EnterByPassword(t.Context(), who, phrase, auth.Client{})
		if !errors.As(err, &w) || w.After != 15*time.Minute {
			t.Fatalf("%s: %v, want a wait: the answer must not tell whether somebody has the number", who, err)
		}
	}
	if got := c.results(t, number); !strings.HasSuffix(got, "password wrong_password, password locked") {
		t.Errorf("history %s", got)
	}
	c.byPhone(t, mobile) // the person is not locked out
	c.pass(15*time.Minute - time.Second)
	_, err := c.EnterByPassword(t.Context(), number, phrase, auth.Client{})
	refused(t, err, auth.ErrTooMany)
	c.pass(time.Second)
	c.byPassword(t, number, phrase)
	// And the count begins anew.
	for range 4 {
		_, err = c.EnterByPassword(t.Context(), number, "wrong", auth.Client{})
		refused(t, err, auth.ErrCredentials)
	}
	c.pass(15 * time.Minute)
	_, err = c.EnterByPassword(t.Context(), number, "wrong", auth.Client{})
	refused(t, err, auth.ErrCredentials)
	c.byPassword(t, number, phrase)
}

func TestPassword_AnInitialOneLiftsTheLock(t *testing.T) {
	c := newCampus(t)
	c.add(t, number, "")
	for range 6 {
		_, _ = c.EnterByPassword(t.Context(), number, "wrong", auth.Client{})
	}
	initial, err := c.Initial(t.Context(), root, number)
	ok(t, err)
	c.byPassword(t, number, initial)
}

// Guesses that are checked at the same time are counted before any of them is.
func TestPassword_GuessesAtOnceAreCountedToo(t *testing.T) {
	c := newCampus(t)
	c.add(t, number, "")
	c.password(t, number, phrase)
	var mu sync.Mutex
	count := map[string]int{}
	var all sync.WaitGroup
	for range 12 {
		all.Go(func() {
			_, err := c.EnterByPassword(t.Context(), number, "wrong", auth.Client{})
			mu.Lock()
			defer mu.Unlock()
			switch {
			case errors.Is(err, auth.ErrCredentials):
				count["checked"]++
			case errors.Is(err, auth.ErrTooMany):
				count["locked"]++
			}
		})
	}
	all.Wait()
	if count["checked"] != 5 || count["locked"] != 7 {
		t.Errorf("%v, want 5 checked and 7 locked", count)
	}
}

func TestPassword_WhoLeftGetsNoFurtherThanAWrongOne(t *testing.T) {
	c := newCampus(t)
	c.add(t, number, "")
	c.password(t, number, phrase)
	left := people.Left
	c.change(t, func(tx *store.Tx) error {
		_, err := c.people.UpdatePerson(tx, "test", number, people.PersonChange{State: &left})
		return err
	})
	_, err := c.EnterByPassword(t.Context(), number, phrase, auth.Client{})
	refused(t, err, auth.ErrCredentials)
	_, err = c.Initial(t.Context(), root, number)
	refused(t, err, store.ErrNotFound)
}

func TestInitial_NobodyTakesOverWhoMayMore(t *testing.T) {
	c := newCampus(t)
	c.add(t, number, "", people.Post{Role: people.Admin})
	c.add(t, "20260002", "", people.Post{Role: people.Desk})
	clerk := auth.Caller{Actor: "token 3 (hr)", Scopes: auth.Scopes{auth.PassesRead, auth.PeopleRead, auth.PeopleWrite, auth.Desk}}
	mine := c.enter(t, number)
	_, err := c.Initial(t.Context(), clerk, number)
	refused(t, err, auth.ErrForbidden)
	_, err = c.Check(t.Context(), mine.Cookie)
	ok(t, err)
	_, err = c.Initial(t.Context(), clerk, "20260002")
	ok(t, err)
	_, err = c.Initial(t.Context(), root, "nobody")
	refused(t, err, store.ErrNotFound)
	theirs := c.enter(t, "20260002")
	_, err = c.Initial(t.Context(), root, "20260002")
	ok(t, err)
	_, err = c.Check(t.Context(), theirs.Cookie)
	refused(t, err, auth.ErrNoSession)
}

func TestPassword_IsHashedAnewWhenTheCostChanges(t *testing.T) {
	c := newCampus(t)
	c.add(t, number, "")
	restore := auth.SetCost(8<<10, 1)
	c.password(t, number, phrase)
	restore()
	if !strings.Contains(c.dump(t), "$m=8192,t=1,p=1$") {
		t.Fatal("the old cost is not there")
	}
	_, err := c.EnterByPassword(t.Context(), number, "wrong", auth.Client{})
	refused(t, err, auth.ErrCredentials)
	if !strings.Contains(c.dump(t), "$m=8192,t=1,p=1$") {
		t.Fatal("a wrong password was hashed")
	}
	c.byPassword(t, number, phrase)
	if dump := c.dump(t); strings.Contains(dump, "$m=8192") || !strings.Contains(dump, "$m=19456,t=2,p=1$") {
		t.Error("not hashed anew")
	}
	c.byPassword(t, number, phrase)
}

func TestPassword_DamagedHashLetsNobodyIn(t *testing.T) {
	c := newCampus(t)
	c.add(t, number, "")
	c.password(t, number, phrase)
	for _, hash := range []string{"", "x", "$argon2id$v=19$m=19456,t=2,p=1$AAAA$AAAA", "$argon2i$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA", "$argon2id$v=19$m=999999999,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA"} {
		c.change(t, func(tx *store.Tx) error { return tx.Exec("UPDATE passwords SET phc = $1", hash) })
		if _, err := c.EnterByPassword(t.Context(), number, phrase, auth.Client{}); err == nil {
			t.Errorf("%q lets somebody in", hash)
		}
	}
}

func BenchmarkPassword(b *testing.B) {
	c := newCampus(b)
	c.add(b, number, "")
	c.password(b, number, phrase)
	for b.Loop() {
		c.byPassword(b, number, phrase)
	}
}

// Both should take the same: otherwise the time tells who has a password here.
func BenchmarkWrongPassword(b *testing.B) {
	c := newCampus(b)
	for i := range 40 {
		c.add(b, fmt.Sprint("known", i), "")
		c.password(b, fmt.Sprint("known", i), phrase)
	}
	for _, who := range []string{"known", "nobody"} {
		b.Run(who, func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				if i%200 == 0 {
					c.pass(time.Hour) // no number is locked
				}
				if _, err := c.EnterByPassword(b.Context(), fmt.Sprint(who, i%40), "wrong", auth.Client{}); !errors.Is(err, auth.ErrCredentials) {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkCheck(b *testing.B) {
	c := newCampus(b)
	c.add(b, number, "", people.Post{Role: people.Desk}, people.Post{Role: people.Guard})
	e := c.enter(b, number)
	for b.Loop() {
		if _, err := c.Check(b.Context(), e.Cookie); err != nil {
			b.Fatal(err)
		}
	}
}
