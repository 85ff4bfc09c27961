package verify_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"campusgate/server/issue"
	"campusgate/server/store"
	"campusgate/server/store/storetest"
	"campusgate/server/verify"
	"campusgate/signing"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// world is a site with two gates at ten in the morning.
type world struct {
	*verify.Service
	now    atomic.Int64
	signer *issue.Service
	guide  *verdict.Guideline
	owner  func(wire.Claim) wire.Answer // what a gate that owns a pass answers
	asked  []wire.Claim
	guard  verify.Guard
	east   store.Gate // asks the server
	west   store.Gate // asks for documents too
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newWorld(t testing.TB) *world {
	t.Helper()
	campus, err := time.LoadLocation("Asia/Shanghai")
	ok(t, err)
	w := &world{}
	w.now.Store(time.Date(2026, 11, 23, 10, 0, 0, 0, campus).UnixMilli())
	now := func() time.Time { return time.UnixMilli(w.now.Load()) }
	dir := t.TempDir()
	db, root := storetest.Found(t, dir, store.Options{Now: now, Random: rand.Reader})
	t.Cleanup(func() { _ = db.Close() })
	public := root.Public().(ed25519.PublicKey)
	seal, err := issue.NewSealer(make([]byte, 32), rand.Reader)
	ok(t, err)
	w.signer = issue.New(issue.Config{
		Store: db, Seal: seal, Random: rand.Reader, Now: now, Location: campus, Host: "gate.example.edu", Policy: issue.DefaultPolicy,
		Root: func() (ed25519.PrivateKey, error) { return issue.LoadRoot(filepath.Join(dir, issue.RootFile), public) },
	})
	ok(t, w.signer.Found(t.Context(), "test"))
	ok(t, db.PutZone(t.Context(), "test", store.Zone{ID: 1, Name: "A"}))
	ok(t, db.PutZone(t.Context(), "test", store.Zone{ID: 2, Name: "B"}))
	w.east, err = db.AddGate(t.Context(), "test", store.Gate{Name: "东门", Zone: 1, Mode: verdict.Owner})
	ok(t, err)
	w.west, err = db.AddGate(t.Context(), "test", store.Gate{Name: "西门", Zone: 1, Mode: verdict.Owner, Documents: true})
	ok(t, err)
	w.guard = verify.Guard{Person: "G2001", Gate: w.east.ID}
	w.Service = verify.New(verify.Config{
		Store: db, Decide: db.Decide, Random: rand.Reader, Now: now,
		Ask: func(_ context.Context, c wire.Claim) wire.Answer {
			w.asked = append(w.asked, c)
			if w.owner == nil {
				return wire.Answer{ID: c.ID, State: verdict.ClaimSilent}
			}
			return w.owner(c)
		},
		Holder: func(context.Context, signing.PassID) (verify.Holder, bool, error) {
			return verify.Holder{Number: "T1001", Name: "林晓", Unit: "物理学院", Reason: "做实验"}, true, nil
		},
		Guideline: func(context.Context) (*verdict.Guideline, error) { return w.guide, nil },
	})
	return w
}

func (w *world) issue(t testing.TB, r issue.Request) store.PassStatus {
	t.Helper()
	prepared, err := w.signer.Prepare(t.Context(), r)
	ok(t, err)
	p, err := w.signer.Issue(t.Context(), "test", prepared)
	ok(t, err)
	return p
}

func (w *world) single(t testing.TB, owner uint16) store.PassStatus {
	t.Helper()
	return w.issue(t, issue.Request{Kind: "resident_single", Name: "林建国", From: "2026-11-23", Until: "2026-11-23", Zones: []int{1}, Owner: &owner})
}

func (w *world) work(t testing.TB) store.PassStatus {
	t.Helper()
	return w.issue(t, issue.Request{Kind: "work", Name: "林晓", From: "2026-11-20", Until: "2026-11-25"})
}

func (w *world) look(t testing.TB, text string, want verdict.Reason) verify.Result {
	t.Helper()
	r, err := w.Look(t.Context(), w.guard, text)
	ok(t, err)
	if r.Verdict.Reason != want {
		t.Fatalf("look: %s, want %s", r.Verdict.Reason, want)
	}
	return r
}

func (w *world) admit(t testing.TB, ticket string, want verdict.Reason, documents ...string) verify.Result {
	t.Helper()
	r, err := w.Admit(t.Context(), w.guard, ticket, documents)
	ok(t, err)
	if r.Verdict.Reason != want {
		t.Fatalf("admit: %s, want %s", r.Verdict.Reason, want)
	}
	return r
}

// events gives what the server recorded of its own.
func (w *world) events(t testing.TB) []store.Event {
	t.Helper()
	all, err := w.Store.Events(t.Context(), 0, 1000)
	ok(t, err)
	return all
}

func TestLook_CQ081_CQ082_TheAddressIsEnoughAndShowsItsFields(t *testing.T) {
	w := newWorld(t)
	p := w.work(t)
	segment := p.Code[strings.LastIndex(p.Code, "/")+1:]
	for _, text := range []string{p.Code, segment} {
		r := w.look(t, text, verdict.Granted)
		if r.ID != p.ID || r.Name != "林晓" || r.Holder.Unit != "物理学院" || r.Holder.Reason != "做实验" || r.From != p.From || r.Until != p.Until || r.Gate.Name != "东门" || r.Ticket == "" {
			t.Errorf("%+v", r)
		}
	}
	if n := len(w.events(t)); n != 0 {
		t.Errorf("%d events of looks that nobody acted on", n)
	}
}

func TestAdmit_CQ080_CountsOnceAtTheServer(t *testing.T) {
	w := newWorld(t)
	p := w.single(t, 0)
	first, second := w.look(t, p.Code, verdict.Granted), w.look(t, p.Code, verdict.Granted)
	r := w.admit(t, first.Ticket, verdict.Granted)
	if again := w.admit(t, first.Ticket, verdict.Granted); again.Event != r.Event {
		t.Errorf("the same ticket: event %s, then %s", r.Event, again.Event)
	}
	late := w.admit(t, second.Ticket, verdict.AlreadyUsed)
	if late.Verdict.First == nil || late.Verdict.First.Gate != w.east.ID {
		t.Errorf("%+v", late.Verdict)
	}
	w.look(t, p.Code, verdict.AlreadyUsed)
	stored, err := w.Store.Pass(t.Context(), p.ID)
	if err != nil || stored.Used != 1 || issue.State(stored, w.Now()) != "used" {
		t.Errorf("%+v, %v", stored, err)
	}
	events := w.events(t)
	if len(events) != 3 || events[0].ID != (wire.EventID{Epoch: 1, Seq: 1}) || events[0].Gate != w.east.ID || events[2].Reason != verdict.AlreadyUsed {
		t.Errorf("%+v", events)
	}
	if wire.Chain(events[0].Hash, events[1].Body) != events[1].Hash {
		t.Error("the events are not chained")
	}
}

func TestAdmit_ManyTicketsOfOnePassAdmitOnce(t *testing.T) {
	w := newWorld(t)
	p := w.single(t, 0)
	var tickets []string
	for range 20 {
		tickets = append(tickets, w.look(t, p.Code, verdict.Granted).Ticket)
	}
	var group sync.WaitGroup
	var granted atomic.Int32
	for _, name := range tickets {
		group.Go(func() {
			r, err := w.Admit(t.Context(), w.guard, name, nil)
			if err != nil {
				t.Error(err)
			}
			if r.Verdict.Reason == verdict.Granted {
				granted.Add(1)
			}
		})
	}
	group.Wait()
	if granted.Load() != 1 {
		t.Errorf("%d admitted", granted.Load())
	}
}

func TestAdmit_AsksTheGateThatOwnsThePass(t *testing.T) {
	w := newWorld(t)
	p := w.single(t, w.west.ID)
	r := w.look(t, p.Code, verdict.NeedsInput)
	if r.Verdict.Need != verdict.NeedClaim || r.Decider != w.west.ID {
		t.Fatalf("%+v", r)
	}
	// Silence refuses, gives back what may have been granted, and the guard may
	// try again: with another question.
	silent := w.admit(t, r.Ticket, verdict.OfflineNotAllowed)
	if silent.Ticket != r.Ticket || silent.Verdict.Owner != w.west.ID {
		t.Errorf("%+v", silent)
	}
	w.owner = func(c wire.Claim) wire.Answer { return wire.Answer{ID: c.ID, State: verdict.ClaimGranted} }
	w.admit(t, r.Ticket, verdict.Granted)
	if len(w.asked) != 2 || w.asked[0].ID == w.asked[1].ID || w.asked[1].Owner != w.west.ID || w.asked[1].Gate != w.east.ID {
		t.Fatalf("%+v", w.asked)
	}
	events := w.events(t)
	if len(events) != 3 || events[1].Type != wire.EventAnnul || events[1].Claim != w.asked[0].ID || events[2].Claim != w.asked[1].ID {
		t.Errorf("%+v", events)
	}
	// The release is on its way to the owner, of the first question only.
	delta, err := w.Store.Feed(t.Context(), wire.Cursor{}, 1000)
	ok(t, err)
	var released []string
	for _, i := range delta.Items {
		if i.Kind == wire.ItemRelease {
			released = append(released, i.Key)
		}
	}
	if len(released) != 1 || released[0] != w.asked[0].ID {
		t.Errorf("released: %v", released)
	}
}

// A claim that was answered and never recorded, as when the server stops, is
// given back.
func TestTick_GivesBackWhatWasNeverSettled(t *testing.T) {
	w := newWorld(t)
	p := w.single(t, 0)
	c := wire.Claim{ID: "0-1-77", Pass: p.ID, Gate: w.east.ID, Uses: 1, Expires: p.Until, Issued: p.IssuedAt / 1000, At: w.now.Load()}
	ok(t, w.Store.OpenClaim(t.Context(), c))
	a, err := w.Store.Decide(t.Context(), c)
	if err != nil || a.State != verdict.ClaimGranted {
		t.Fatalf("%+v, %v", a, err)
	}
	ok(t, w.Tick(t.Context()))
	w.look(t, p.Code, verdict.AlreadyUsed) // still within the life of its ticket
	w.now.Add(3 * time.Minute.Milliseconds())
	ok(t, w.Tick(t.Context()))
	w.admit(t, w.look(t, p.Code, verdict.Granted).Ticket, verdict.Granted)
	if a, err := w.Store.Decide(t.Context(), c); err != nil || a.State != verdict.ClaimSilent {
		t.Errorf("the old question: %+v, %v", a, err)
	}
}

func TestLook_RefusalsAreEventsOfTheGuard(t *testing.T) {
	w := newWorld(t)
	p := w.work(t)
	ok(t, w.Store.RevokePass(t.Context(), "test", p.ID, "离职"))
	if r := w.look(t, p.Code, verdict.Revoked); r.Ticket != "" || r.Event.Seq != 1 {
		t.Errorf("%+v", r)
	}
	w.look(t, "not a code", verdict.Malformed)
	other := w.issue(t, issue.Request{Kind: "work", Name: "林晓", From: "2026-11-20", Until: "2026-11-25", Zones: []int{2}})
	w.look(t, other.Code, verdict.WrongGate)
	w.now.Add(5 * 24 * time.Hour.Milliseconds())
	w.look(t, w.single(t, 0).Code, verdict.Expired)
	if n := len(w.events(t)); n != 4 {
		t.Errorf("%d events", n)
	}
}

func TestAdmit_DocumentsWhereTheGateAsksForThem(t *testing.T) {
	w := newWorld(t)
	w.guard.Gate = w.west.ID
	w.guide = &verdict.Guideline{
		Documents: []verdict.DocumentKind{{ID: "work_permit"}, {ID: "campus_card", Never: true}},
		Rules:     []verdict.DocumentRule{{ID: "staff", Passes: []signing.Kind{signing.Work}, Documents: [][]string{{"work_permit"}}}},
	}
	p := w.work(t)
	r := w.look(t, p.Code, verdict.NeedsInput)
	if !r.Documents || len(r.Offered) != 1 || r.Verdict.Need != verdict.NeedDocument {
		t.Fatalf("%+v", r)
	}
	if still := w.admit(t, r.Ticket, verdict.NeedsInput); still.Ticket != r.Ticket {
		t.Errorf("%+v", still)
	}
	if done := w.admit(t, r.Ticket, verdict.Granted, "work_permit"); done.Verdict.Rule != "staff" {
		t.Errorf("%+v", done.Verdict)
	}
	w.admit(t, w.look(t, p.Code, verdict.NeedsInput).Ticket, verdict.DocumentNotAccepted, "campus_card")
}

func TestAdmit_TicketsAreOfOneGuardAndTwoMinutes(t *testing.T) {
	w := newWorld(t)
	r := w.look(t, w.work(t).Code, verdict.Granted)
	for name, g := range map[string]verify.Guard{"another guard": {Person: "G2002", Gate: w.east.ID}, "another gate": {Person: "G2001", Gate: w.west.ID}} {
		if _, err := w.Admit(t.Context(), g, r.Ticket, nil); !errors.Is(err, verify.ErrTicket) {
			t.Errorf("%s: %v", name, err)
		}
	}
	w.now.Add(121_000)
	if _, err := w.Admit(t.Context(), w.guard, r.Ticket, nil); !errors.Is(err, verify.ErrTicket) {
		t.Errorf("too late: %v", err)
	}
	for _, gate := range []uint16{0, 999} {
		if _, err := w.Look(t.Context(), verify.Guard{Person: "G2001", Gate: gate}, "A"); !errors.Is(err, verify.ErrNoGate) {
			t.Errorf("gate %d: %v", gate, err)
		}
	}
}

func TestLook_CQ081_TheAddressAtWhateverHost(t *testing.T) {
	w := newWorld(t)
	p := w.work(t)
	segment := p.Code[strings.LastIndex(p.Code, "/")+1:]
	for _, text := range []string{"https://gate.example.edu/V/" + segment, "http://192.0.2.1:8080/V/" + segment, " " + p.Code + "\n"} {
		if r := w.look(t, text, verdict.Granted); r.ID != p.ID {
			t.Errorf("%.30s: %+v", text, r)
		}
	}
	for _, text := range []string{"CP1:0/V/" + segment, "https://gate.example.edu/v/" + segment, segment + "/V/", "/V/"} {
		w.look(t, text, verdict.Malformed)
	}
}
