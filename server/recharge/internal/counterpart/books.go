// Package counterpart is the other side of the payment channels, for tests: an
// HTTP server that keeps orders, checks our signatures and signs its own as the
// real one does, and goes wrong when it is told to. It shares no code with the
// channels.
package counterpart

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"
)

// Order is what the channel has of one.
type Order struct {
	ID       string
	Fen      int64
	Trade    string
	PaidAt   time.Time // zero = it is not
	Refunded int64     // fen in all
	RefundAt time.Time
	Closed   bool
}

// Books are the orders of a channel. Safe for concurrent use.
type Books struct {
	Now func() time.Time

	mu     sync.Mutex
	orders map[string]*Order
	fault  func(call string) (apply bool, failed bool)
	calls  map[string]int
}

// SetFault says what goes wrong from now on: whether a call is carried out, and
// whether its answer is lost. nil = nothing.
func (b *Books) SetFault(fault func(call string) (apply, failed bool)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fault = fault
}

// Reset forgets all orders.
func (b *Books) Reset() {
	b.mu.Lock()
	defer b.mu.Unlock()
	clear(b.orders)
}

// Calls is how many of a call came in.
func (b *Books) Calls(call string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.calls[call]
}

// Pay is what the payer does; false where the order cannot be paid.
func (b *Books) Pay(id string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	o := b.orders[id]
	if o == nil || o.Closed || !o.PaidAt.IsZero() {
		return false
	}
	o.PaidAt, o.Trade = b.Now(), "42000"+o.ID[len(o.ID)-8:]
	return true
}

// Refund is what the merchant does at the channel.
func (b *Books) Refund(id string, fen int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	o := b.orders[id]
	if o == nil || o.PaidAt.IsZero() || o.Refunded+fen > o.Fen {
		return false
	}
	o.Refunded, o.RefundAt = o.Refunded+fen, b.Now()
	return true
}

// Order gives an order; ok = there is one.
func (b *Books) Order(id string) (o Order, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if found := b.orders[id]; found != nil {
		return *found, true
	}
	return Order{ID: id}, false
}

// Put writes an order down as if it had been placed, such as a stranger's.
func (b *Books) Put(o Order) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.orders[o.ID] = &o
}

// Of lists the orders paid, or refunded, on the day of a moment.
func (b *Books) of(day time.Time) (paid, refunded []Order) {
	b.mu.Lock()
	defer b.mu.Unlock()
	on := func(t time.Time) bool { return !t.Before(day) && t.Before(day.AddDate(0, 0, 1)) }
	for _, o := range b.orders {
		if !o.PaidAt.IsZero() && on(o.PaidAt) {
			paid = append(paid, *o)
		}
		if o.Refunded > 0 && on(o.RefundAt) {
			refunded = append(refunded, *o)
		}
	}
	byID := func(a, b Order) int { return compare(a.ID, b.ID) }
	slices.SortFunc(paid, byID)
	slices.SortFunc(refunded, byID)
	return paid, refunded
}

func compare(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// serve carries a call out and answers it, or what the fault leaves of that: half
// of them with status 500, half with a broken connection.
func (b *Books) serve(w http.ResponseWriter, call string, do func(o map[string]*Order) func(http.ResponseWriter)) {
	b.mu.Lock()
	if b.calls == nil {
		b.calls = map[string]int{}
	}
	b.calls[call]++
	n, apply, failed := b.calls[call], true, false
	if b.fault != nil {
		apply, failed = b.fault(call)
	}
	var answer func(http.ResponseWriter)
	if apply {
		answer = do(b.orders)
	}
	b.mu.Unlock()
	switch {
	case !failed && answer != nil:
		answer(w)
	case n%2 == 0:
		w.WriteHeader(http.StatusInternalServerError)
	default:
		panic(http.ErrAbortHandler) // the connection breaks
	}
}

var (
	keysMu sync.Mutex
	keys   = map[string]*rsa.PrivateKey{}
)

// Key gives the RSA key of a name, made once for the process: that takes long.
func Key(t testing.TB, random io.Reader, name string) *rsa.PrivateKey {
	t.Helper()
	keysMu.Lock()
	defer keysMu.Unlock()
	if keys[name] == nil {
		key, err := rsa.GenerateKey(random, 2048)
		if err != nil {
			t.Fatal(err)
		}
		keys[name] = key
	}
	return keys[name]
}

func sign(key *rsa.PrivateKey, message string) string {
	sum := sha256.Sum256([]byte(message))
	s, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
	if err != nil {
		panic(err)
	}
	return base64.StdEncoding.EncodeToString(s)
}

func holds(key *rsa.PublicKey, message, signature string) bool {
	raw, err := base64.StdEncoding.DecodeString(signature)
	sum := sha256.Sum256([]byte(message))
	return err == nil && rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], raw) == nil
}

func yuan(fen int64) string { return fmt.Sprintf("%d.%02d", fen/100, fen%100) }

// Campus is the zone of campuses.
var Campus = time.FixedZone("CST", 8*3600)
