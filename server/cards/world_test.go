package cards_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"campusgate/server/cards"
	"campusgate/server/issue"
	"campusgate/server/ledger"
	"campusgate/server/people"
	"campusgate/server/store"
	"campusgate/server/store/storetest"
	"campusgate/signing"
	"campusgate/signing/code"
	"campusgate/signing/wire"
)

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wants(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("got error %v, want %v", err, want)
	}
}

type world struct {
	*cards.Service
	db    *store.Store
	money *ledger.Ledger
	fault *faulty // between cards and the ledger
	root  ed25519.PublicKey
	now   atomic.Int64 // unix ms
	more  int          // people made by another
}

func (w *world) add(d time.Duration) { w.now.Add(d.Milliseconds()) }

var errLedger = errors.New("no ledger today")

// faulty is a ledger whose postings fail when it is told to: before they are
// made, or after.
type faulty struct {
	*ledger.Ledger
	at    int // the posting that fails, counted down; 0 = none
	after bool
}

func (f *faulty) Post(t *store.Tx, tr ledger.Transfer) (ledger.Outcome, error) {
	if f.at == 0 {
		return f.Ledger.Post(t, tr)
	}
	if f.at--; f.at > 0 {
		return f.Ledger.Post(t, tr)
	}
	f.at = 1 // the change runs again, alone
	if f.after {
		if out, err := f.Ledger.Post(t, tr); err != nil {
			return out, err
		}
	}
	return ledger.Outcome{}, errLedger
}

// newWorld is a campus at noon of 21 November 2026 with a few invented people.
func newWorld(t testing.TB) *world {
	t.Helper()
	campus, err := time.LoadLocation("Asia/Shanghai")
	ok(t, err)
	w := &world{}
	w.now.Store(time.Date(2026, 11, 21, 12, 0, 0, 0, campus).UnixMilli())
	now := func() time.Time { return time.UnixMilli(w.now.Load()) }
	var private ed25519.PrivateKey
	w.db, private = storetest.Found(t, t.TempDir(), store.Options{Now: now, Random: rand.Reader})
	w.root = private.Public().(ed25519.PublicKey)
	t.Cleanup(func() { _ = w.db.Close() })
	seal, err := issue.NewSealer(make([]byte, 32), rand.Reader)
	ok(t, err)
	signer := issue.New(issue.Config{
		Store: w.db, Seal: seal, Random: rand.Reader, Now: now, Location: campus, Host: "gate.example.edu", Policy: issue.DefaultPolicy,
		Root: func() (ed25519.PrivateKey, error) { return private, nil },
	})
	ok(t, signer.Found(t.Context(), "test"))
	vault, err := people.NewVault(make([]byte, 32), rand.Reader)
	ok(t, err)
	staff := people.New(people.Config{Store: w.db, Vault: vault, Now: now, Location: campus, Random: rand.Reader})
	ok(t, staff.Change(t.Context(), func(tx *store.Tx) error {
		if _, err := staff.AddUnit(tx, "test", people.Unit{ID: "cs", Name: "计算机学院"}); err != nil {
			return err
		}
		for _, p := range []people.Person{
			{ID: "S1", Name: "林晓岚", Kind: people.Student, Unit: "cs", Phone: "13800130001"},
			{ID: "S2", Name: "周敏", Kind: people.Student, Unit: "cs"},
			{ID: "T1", Name: "许文娟", Kind: people.Staff, Unit: "cs"},
		} {
			if _, err := staff.AddPerson(tx, "test", p); err != nil {
				return err
			}
		}
		return nil
	}))
	w.money = ledger.New(ledger.Config{Store: w.db, Now: now, Location: campus})
	w.fault = &faulty{Ledger: w.money}
	w.Service = cards.New(cards.Config{
		Store: w.db, Issue: signer, People: staff, Vault: vault, Ledger: w.fault, Now: now, Random: rand.Reader, Location: campus,
	})
	w.Hurry()
	return w
}

func (w *world) open(t testing.TB, person string) cards.Account {
	t.Helper()
	c, err := w.Open(t.Context(), "test", person)
	ok(t, err)
	return c
}

// another makes one more person and gives the number.
func (w *world) another(t testing.TB) string {
	t.Helper()
	w.more++
	number := fmt.Sprintf("N%d", w.more)
	ok(t, w.People.Change(t.Context(), func(tx *store.Tx) error {
		_, err := w.People.AddPerson(tx, "test", people.Person{ID: number, Name: "韩松", Kind: people.Retired})
		return err
	}))
	return number
}

func (w *world) find(t testing.TB, account uint64) cards.Account {
	t.Helper()
	c, err := w.Find(t.Context(), w.db.Reader(), account)
	ok(t, err)
	return c
}

func (w *world) balance(t testing.TB, account uint64) ledger.Balance {
	t.Helper()
	b, err := w.money.Balance(t.Context(), w.db.Reader(), account)
	ok(t, err)
	return b
}

// spend charges a card as a till's event would, whatever there is.
func (w *world) spend(t testing.TB, account uint64, id string, fen int64) {
	t.Helper()
	ok(t, w.db.Change(t.Context(), func(tx *store.Tx) error {
		entries, err := w.money.Spend(t.Context(), tx, account, fen)
		if err != nil {
			return err
		}
		out, err := w.money.Post(tx, ledger.Transfer{
			ID: id, Kind: ledger.KindCharge, At: tx.Now(), Day: time.UnixMilli(tx.Now()).In(w.Location).Format(time.DateOnly), Card: account,
			Entries: append(entries, ledger.Entry{Account: ledger.Merchant(1), Fen: fen}), Place: "一食堂",
		})
		if err == nil && out.State != ledger.Posted {
			t.Errorf("%s: %+v", id, out)
		}
		return err
	}))
}

// told is what the tills were told of a card; nil = nothing.
func (w *world) told(t testing.TB, account uint64) *wire.Card {
	t.Helper()
	d, err := w.db.Feed(t.Context(), wire.Cursor{}, 1000)
	ok(t, err)
	for _, item := range d.Items {
		if item.Kind == wire.ItemCard && item.Key == strconv.FormatUint(account, 10) && !item.Gone {
			var c wire.Card
			ok(t, json.Unmarshal(item.Body, &c))
			return &c
		}
	}
	return nil
}

func (w *world) ring(t testing.TB) *signing.Keyring {
	t.Helper()
	serial, signed, err := w.db.Keyring(t.Context())
	ok(t, err)
	ring, err := signing.OpenKeyring(w.root, signed, serial)
	ok(t, err)
	return ring
}

// phone is a holder's phone.
type phone struct {
	key     *ecdsa.PrivateKey
	cred    []byte
	counter uint64
}

func newPhone(t testing.TB) *phone {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ok(t, err)
	return &phone{key: key}
}

// asks signs a nonce of a card and enrols.
func (p *phone) asks(t testing.TB, w *world, account uint64) (cards.Credential, error) {
	t.Helper()
	id, nonce, err := w.Nonce(t.Context(), account)
	if err != nil {
		return cards.Credential{}, err
	}
	return w.EnrolPhone(t.Context(), "person S1", account, p.public(t), p.proof(t, id, nonce))
}

func (p *phone) public(t testing.TB) []byte {
	t.Helper()
	b, err := p.key.PublicKey.Bytes()
	ok(t, err)
	return b
}

func (p *phone) proof(t testing.TB, id signing.PassID, nonce []byte) []byte {
	t.Helper()
	digest := sha256.Sum256(issue.ProofBytes(id, nonce))
	r, s, err := ecdsa.Sign(rand.Reader, p.key, digest[:])
	ok(t, err)
	return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
}

// enrol makes the phone the card's.
func (p *phone) enrol(t testing.TB, w *world, account uint64) cards.Credential {
	t.Helper()
	c, err := p.asks(t, w, account)
	ok(t, err)
	p.cred, err = code.Credential(c.Text)
	ok(t, err)
	return c
}

// shows makes the code that the phone shows now.
func (p *phone) shows(t testing.TB, w *world) string {
	t.Helper()
	p.counter++
	live, err := signing.MakeProof(p.key, rand.Reader, p.cred, signing.Proof{T: w.now.Load() / 1000, Counter: p.counter, Context: signing.ContextPay})
	ok(t, err)
	return signing.LiveText(live)
}
