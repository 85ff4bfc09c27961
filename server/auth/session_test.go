package auth_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"campusgate/server/auth"
	"campusgate/server/people"
	"campusgate/server/store"
)

const day = 24 * time.Hour

func TestSession_LastsTwelveHoursOrNinetyDaysFromItsLastUse(t *testing.T) {
	for _, c := range []struct {
		name  string
		life  time.Duration
		begin func(*campus) auth.Entry
	}{
		{"elsewhere", 12 * time.Hour, func(c *campus) auth.Entry { return c.enter(t, "20260001") }},
		{"phone", 90 * day, func(c *campus) auth.Entry { return c.byPhone(t, "13800130001") }},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := newCampus(t)
			k.add(t, "20260001", "13800130001")
			e := c.begin(k)
			if e.Lasting != (c.name == "phone") || e.Caller.Person != "20260001" || len(e.Cookie) != 43 {
				t.Fatalf("entry %+v", e)
			}
			for range 3 { // used again and again, it slides
				k.pass(c.life - time.Second)
				_, err := k.Check(t.Context(), e.Cookie)
				ok(t, err)
				ok(t, k.Flush(t.Context()))
			}
			k.pass(c.life)
			_, err := k.Check(t.Context(), e.Cookie)
			refused(t, err, auth.ErrNoSession)
			if list, err := k.Sessions(t.Context(), "20260001"); err != nil || len(list) != 0 {
				t.Errorf("listed %v, %v", list, err)
			}
		})
	}
}

func TestSession_UseIsKeptOnceAMinute(t *testing.T) {
	c := newCampus(t)
	c.add(t, "20260001", "")
	e := c.enter(t, "20260001")
	seen := func() int64 {
		list, err := c.Sessions(t.Context(), "20260001")
		ok(t, err)
		return list[0].SeenAt
	}
	began := seen()
	c.pass(59 * time.Second)
	_, err := c.Check(t.Context(), e.Cookie)
	ok(t, err)
	ok(t, c.Flush(t.Context()))
	if seen() != began {
		t.Error("written within a minute")
	}
	c.pass(time.Second)
	_, err = c.Check(t.Context(), e.Cookie)
	ok(t, err)
	if seen() != began {
		t.Error("written in the request's way")
	}
	ok(t, c.Flush(t.Context()))
	if seen() != began+time.Minute.Milliseconds() {
		t.Error("not written")
	}
}

func TestSession_PostsAndLeavingCountAtOnce(t *testing.T) {
	c := newCampus(t)
	c.add(t, "20260001", "", people.Post{Role: people.Desk}, people.Post{Role: people.Auditor, To: "2026-05-01"})
	e := c.enter(t, "20260001")
	if got := e.Caller.Scopes.String(); got != "self passes:read gates:read agents:read events:read audit:read people:read desk" {
		t.Fatalf("scopes %q", got)
	}
	c.pass(15 * time.Hour) // the next campus day, at midnight; but the session has ended too
	e = c.enter(t, "20260001")
	if got := e.Caller.Scopes.String(); got != "self passes:read people:read desk" {
		t.Fatalf("after the last day of a post: %q", got)
	}
	c.change(t, func(tx *store.Tx) error {
		_, err := c.people.EndPost(tx, "test", e.Caller.Posts[0].ID)
		return err
	})
	caller, err := c.Check(t.Context(), e.Cookie)
	ok(t, err)
	if got := caller.Scopes.String(); got != "self" {
		t.Errorf("after the post was ended: %q", got)
	}
	left := people.Left
	c.change(t, func(tx *store.Tx) error {
		_, err := c.people.UpdatePerson(tx, "test", "20260001", people.PersonChange{State: &left})
		return err
	})
	_, err = c.Check(t.Context(), e.Cookie)
	refused(t, err, auth.ErrNoSession)
	_, err = c.Enter(t.Context(), "20260001", "oidc:campus", auth.Client{})
	refused(t, err, auth.ErrUnknown)
}

func TestScopesOf_RolesAndTheirScopes(t *testing.T) {
	for role, want := range map[string]string{
		"":             "self",
		people.Guard:   "self guard",
		people.Desk:    "self passes:read people:read desk",
		people.Reader:  "self stats",
		people.Auditor: "self passes:read gates:read agents:read events:read audit:read people:read",
		people.Admin:   "self admin",
		"dean":         "self", // a post that a flow names
	} {
		got := auth.ScopesOf([]people.Post{{Role: role}})
		if got.String() != want {
			t.Errorf("%s: %q, want %q", role, got, want)
		}
		if admin := role == people.Admin; got.May(auth.TokensWrite) != admin || !got.May(auth.Self) {
			t.Errorf("%s may", role)
		}
	}
	if (auth.Scopes{auth.Admin}).May(auth.Self) {
		t.Error("a token for everything is somebody")
	}
	if _, err := auth.ParseScopes("self"); err == nil {
		t.Error("a token can have scope self")
	}
}

func TestSession_GuardStandsAtTheGateOfTheLatestPost(t *testing.T) {
	c := newCampus(t)
	gates := make([]uint16, 2)
	for i, name := range []string{"东门", "西门"} {
		g, err := c.db.AddGate(t.Context(), "test", store.Gate{Name: name, Zone: 1, Mode: "owner"})
		ok(t, err)
		gates[i] = g.ID
	}
	c.add(t, "20260001", "", people.Post{Role: people.Guard, Gate: gates[1], From: "2026-04-30"}, people.Post{Role: people.Guard, Gate: gates[0], From: "2026-04-01"})
	if got := c.enter(t, "20260001").Caller.Gate; got != gates[1] {
		t.Errorf("gate %d, want %d", got, gates[1])
	}
}

func TestSession_OnlyItsHashIsKeptAndALoginMakesANewOne(t *testing.T) {
	c := newCampus(t)
	c.add(t, "20260001", "")
	first := c.enter(t, "20260001")
	if strings.Contains(c.dump(t), first.Cookie) {
		t.Error("the database has the cookie")
	}
	// Whoever knew the cookie of before knows nothing after a login.
	second, err := c.Enter(t.Context(), "20260001", "oidc:campus", auth.Client{Cookie: first.Cookie})
	ok(t, err)
	if second.Cookie == first.Cookie {
		t.Fatal("the same cookie")
	}
	_, err = c.Check(t.Context(), first.Cookie)
	refused(t, err, auth.ErrNoSession)
	for _, cookie := range []string{"", "x", strings.Repeat("A", 43), strings.Repeat("é", 43), second.Cookie + "A", second.Cookie[1:]} {
		_, err = c.Check(t.Context(), cookie)
		refused(t, err, auth.ErrNoSession)
	}
}

func TestSession_ListAndEndOnlyOnesOwn(t *testing.T) {
	c := newCampus(t)
	c.add(t, "20260001", "")
	c.add(t, "20260002", "")
	mine, other := c.enter(t, "20260001"), c.enter(t, "20260002")
	refused(t, c.End(t.Context(), "20260001", other.Caller.Session), store.ErrNotFound)
	_, err := c.Check(t.Context(), other.Cookie)
	ok(t, err)
	list, err := c.Sessions(t.Context(), "20260001")
	ok(t, err)
	if !slices.EqualFunc(list, []int64{mine.Caller.Session}, func(s auth.Session, id int64) bool { return s.ID == id }) {
		t.Fatalf("sessions %+v", list)
	}
	ok(t, c.End(t.Context(), "20260001", mine.Caller.Session))
	_, err = c.Check(t.Context(), mine.Cookie)
	refused(t, err, auth.ErrNoSession)
	refused(t, c.End(t.Context(), "20260001", mine.Caller.Session), store.ErrNotFound)
}

func TestHistory_CM054_TellsTimeAddressDeviceWayAndResult(t *testing.T) {
	c := newCampus(t)
	c.add(t, "20260001", "13800130001")
	c.password(t, "20260001", "correct horse battery")
	before := len(strings.Split(c.results(t, "20260001"), ", "))
	phone := auth.Client{IP: "192.0.2.7", Device: auth.Device("Mozilla/5.0 (Linux; Android 14) Chrome/130 MicroMessenger/8.0")}
	_, err := c.EnterByPassword(t.Context(), "20260001", "wrong", phone)
	refused(t, err, auth.ErrCredentials)
	ok(t, c.SendCode(t.Context(), "13800130001"))
	_, err = c.EnterByPhone(t.Context(), "13800130001", "wrong", phone)
	refused(t, err, auth.ErrCode)
	e := c.byPassword(t, "20260001", "correct horse battery")
	list, total, err := c.Logins(t.Context(), "20260001", 1, 2)
	ok(t, err)
	if total != before+3 || len(list) != 2 || list[0].Session != e.Caller.Session || list[0].Result != "ok" {
		t.Fatalf("total %d, %+v", total, list)
	}
	want := auth.Login{At: c.time().UnixMilli(), Way: "phone", IP: "192.0.2.7", Device: "Android WeChat", Result: "wrong_code"}
	if list[1] != want {
		t.Errorf("got %+v, want %+v", list[1], want)
	}
	if list, _, _ = c.Logins(t.Context(), "20260001", 2, 2); list[0].Result != "wrong_password" {
		t.Errorf("second page %+v", list)
	}
	if got := c.results(t, "20260002"); got != "" {
		t.Errorf("somebody else's: %s", got)
	}
}

func TestPrune_ForgetsWhatIsOver(t *testing.T) {
	c := newCampus(t)
	c.add(t, "20260001", "13800130001")
	c.password(t, "20260001", "correct horse battery")
	_, err := c.EnterByPassword(t.Context(), "nobody", "x", auth.Client{})
	refused(t, err, auth.ErrCredentials)
	ok(t, c.SendCode(t.Context(), "13800130002"))
	short, long := c.enter(t, "20260001"), c.byPhone(t, "13800130001")
	c.pass(day + time.Second)
	ok(t, c.Prune(t.Context()))
	_, err = c.Check(t.Context(), short.Cookie)
	refused(t, err, auth.ErrNoSession)
	_, err = c.Check(t.Context(), long.Cookie)
	ok(t, err)
	count := func(table string) (n int) {
		ok(t, c.db.Reader().QueryRowContext(t.Context(), "SELECT count(*) FROM "+table).Scan(&n))
		return n
	}
	for table, want := range map[string]int{"sessions": 1, "codes": 0, "sent_codes": 0, "attempts": 0, "logins": 3} {
		if n := count(table); n != want {
			t.Errorf("%d rows of %s, want %d", n, table, want)
		}
	}
	c.pass(365 * day)
	ok(t, c.Prune(t.Context()))
	if n := count("sessions"); n != 0 {
		t.Errorf("%d rows after a year", n)
	}
}

func TestDevice(t *testing.T) {
	for agent, want := range map[string]string{
		"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 MicroMessenger/8.0.49": "iPhone WeChat",
		"Mozilla/5.0 (Linux; Android 14; HarmonyOS) Chrome/130.0 Mobile Safari/537.36":                                    "HarmonyOS Chrome",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/130.0 Safari/537.36 Edg/130.0":                                  "Windows Edge",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/17.4 Safari/605.1.15":                                    "macOS Safari",
		"curl/8.5.0": "",
		"<script>alert(1)</script>" + strings.Repeat("好", 10_000): "",
	} {
		if got := auth.Device(agent); got != want {
			t.Errorf("%.40s: %q, want %q", agent, got, want)
		}
	}
}
