package campus_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"campusgate/cmd/internal/campus"
)

// payer is somebody with a phone that pays.
type payer struct {
	campus.Client
	phone   *campus.Phone
	account string
	had     int64 // fen on the card
}

// payers signs some of the invented people in and has their phones pay.
func payers(t *testing.T, c *campus.Campus) (list []*payer) {
	t.Helper()
	for i, who := range []struct{ name, number, phone string }{
		{"周敏", "T1001", "13800130001"},
		{"陈立", "T1002", "13800130002"},
		{"郑海", "T1007", "13800130007"},
		{"王磊", "T1008", "13800130008"},
		{"蒋涛", "T1010", "13800130010"},
		{"沈岚", "T1011", "13800130011"},
		{"韩松年", "T0901", "13800130012"},
		{"何一帆", "S26001", "13800130014"},
	} {
		client, err := c.SignInFrom(t.Context(), who.phone, net.IPv4(127, 0, 2, byte(i+1)))
		if err != nil {
			t.Fatal(err)
		}
		bind := map[string]string{"name": who.name, "number": who.number}
		if err := client.Do(t.Context(), http.MethodPost, "/api/v1/cards/me/bind", bind, nil); err != nil {
			t.Fatal(err)
		}
		p := &payer{Client: client}
		if p.phone, err = client.EnrolCard(t.Context()); err != nil {
			t.Fatal(err)
		}
		m := balance(t, client)
		p.account, p.had = m.Account, m.BalanceFen
		list = append(list, p)
	}
	return list
}

// paid is a charge as somebody was shown it, or as a till or the server lists it.
type paid struct {
	account string
	fen     int64
}

// attempt is a code that is held before a till for an amount.
type attempt struct {
	by   *payer
	code string
	fen  int64
}

// cashier keys amounts in at one till and has people pay them. When the till
// dies in the middle, the same code is held before it again, as people do.
type cashier struct {
	till   *campus.Till
	people []*payer
	random *rand.Rand

	unsure  *attempt        // what became of it was not seen
	shown   map[string]paid // accepted charges, by event
	listed  map[string]int64
	again   int // of shown: first seen when the code was held before the till again
	offline int // of shown: accepted without the server
	lost    int // scans without an answer
	unseen  int // lost, and paid by what the till said later, without naming the charge
	refused map[string]int
}

func newCashier(till *campus.Till, people []*payer, random *rand.Rand) *cashier {
	return &cashier{
		till: till, people: people, random: rand.New(rand.NewPCG(random.Uint64(), 0)),
		shown: map[string]paid{}, listed: map[string]int64{}, refused: map[string]int{},
	}
}

// serve takes money until it is stopped or the till dies.
func (k *cashier) serve(ctx context.Context, stop <-chan struct{}) error {
	for {
		select {
		case <-stop:
			return nil
		default:
		}
		a, before := k.unsure, k.unsure != nil
		if a == nil {
			who := k.people[k.random.IntN(len(k.people))]
			code, err := who.phone.Code(time.Now())
			if err != nil {
				return err
			}
			a = &attempt{by: who, code: code, fen: 1 + k.random.Int64N(15)}
		}
		if err := k.take(ctx, a, before); err != nil {
			var refusal *campus.Refusal
			if errors.As(err, &refusal) || errors.Is(err, errWrong) {
				return err
			}
			return nil // the till is dead
		}
	}
}

// errWrong is an answer that no till may give.
var errWrong = errors.New("wrong answer")

// take arms the till and has one code read. A code that was read before with
// nobody seeing the answer may pay now, or be shown as paid.
func (k *cashier) take(ctx context.Context, a *attempt, before bool) error {
	agent := k.till.Client()
	order := map[string]any{"entry": "amount", "amount_fen": a.fen}
	if err := agent.Do(ctx, http.MethodPut, "/api/v1/till/sale", order, nil); err != nil {
		return err
	}
	var r sold
	err := agent.Do(ctx, http.MethodPost, "/api/v1/scans", map[string]string{"text": a.code, "source": "api", "lane": "收款台"}, &r)
	if err != nil {
		if !before {
			k.lost++
		}
		k.unsure = a
		return err
	}
	k.unsure = nil
	switch {
	case r.Reason == "granted" && r.Charge != nil && r.Charge.Event != "":
		if r.Charge.AmountFen != a.fen || r.Repeat && !before {
			return fmt.Errorf("%w: %d fen, seen before %v: %+v %+v", errWrong, a.fen, before, r, r.Charge)
		}
		if _, twice := k.shown[r.Charge.Event]; twice {
			return fmt.Errorf("%w: charge %s was shown to two people", errWrong, r.Charge.Event)
		}
		k.shown[r.Charge.Event] = paid{a.by.account, a.fen}
		if r.Charge.Offline {
			k.offline++
		}
		if before {
			k.again++
		}
	case r.Reason == "replayed" && before:
		k.unseen++
	case r.Reason == "granted" || r.Reason == "replayed":
		return fmt.Errorf("%w: %+v %+v", errWrong, r, r.Charge)
	default:
		k.refused[r.Reason]++
	}
	return nil
}

// list notes what the till itself says that it took in its batch, and begins
// another batch when the list is long.
func (k *cashier) list(t *testing.T) {
	t.Helper()
	var out struct {
		Charges []sold `json:"charges"`
	}
	if err := k.till.Client().Do(t.Context(), http.MethodGet, "/api/v1/till/charges?limit=200", nil, &out); err != nil {
		t.Fatal(err)
	}
	for _, c := range out.Charges {
		k.listed[c.Charge.Event] = c.Charge.AmountFen
	}
	if len(out.Charges) < 100 {
		return
	}
	for _, open := range []bool{false, true} {
		if err := k.till.Open(t.Context(), open); err != nil {
			t.Fatal(err)
		}
	}
}

// serveAll has all cashiers work until they are stopped or their tills die. The
// result delivers once.
func serveAll(t *testing.T, all []*cashier, stop <-chan struct{}) <-chan error {
	t.Helper()
	errs := make([]error, len(all))
	var work sync.WaitGroup
	for i, k := range all {
		work.Go(func() { errs[i] = k.serve(t.Context(), stop) })
	}
	done := make(chan error, 1)
	go func() {
		work.Wait()
		done <- errors.Join(errs...)
	}()
	return done
}
