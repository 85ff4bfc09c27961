package campus_test

import (
	"net/http"
	"testing"
	"time"

	"campusgate/cmd/internal/campus"
)

// sold is what a till shows of a charge.
type sold struct {
	Reason string `json:"reason"`
	Need   string `json:"need"`
	Repeat bool   `json:"repeat"`
	Charge *struct {
		AmountFen  int64  `json:"amount_fen"`
		BalanceFen *int64 `json:"balance_fen"`
		Offline    bool   `json:"offline"`
		Flow       uint64 `json:"flow"`
		Event      string `json:"event"`
	} `json:"charge"`
}

// arm keys an amount in.
func arm(t testing.TB, k *campus.Till, fen int64) {
	t.Helper()
	if err := k.Client().Do(t.Context(), http.MethodPut, "/api/v1/till/sale", map[string]any{"entry": "amount", "amount_fen": fen}, nil); err != nil {
		t.Fatal(err)
	}
}

// pay has a code read by the till, and gives what it shows.
func pay(t testing.TB, k *campus.Till, code string) (r sold) {
	t.Helper()
	err := k.Client().Do(t.Context(), http.MethodPost, "/api/v1/scans", map[string]string{"text": code, "source": "api", "lane": "收款台"}, &r)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// money is what a holder sees.
type money struct {
	Account    string `json:"account"`
	BalanceFen int64  `json:"balance_fen"`
	State      string `json:"state"`
}

func balance(t testing.TB, who campus.Client) (m money) {
	t.Helper()
	if err := who.Do(t.Context(), http.MethodGet, "/api/v1/cards/me", nil, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// settled waits until the server has posted what leaves so much.
func settled(t testing.TB, who campus.Client, fen int64) {
	t.Helper()
	var last int64
	err := campus.Until(t.Context(), func() (bool, error) {
		last = balance(t, who).BalanceFen
		return last == fen, nil
	})
	if err != nil {
		t.Fatalf("the card has %d fen, want %d: %v", last, fen, err)
	}
}

// A till charges with the network and without it, and what it took without is
// posted when the network is back.
func TestTill_CM072_ChargesOnlineAndOffline(t *testing.T) {
	t.Parallel()
	c, _ := populated(t)
	if err := c.OpenCanteen(t.Context(), "一号窗口 Till 1"); err != nil {
		t.Fatal(err)
	}
	till := c.Tills[0]
	who, err := c.SignIn(t.Context(), "13800130001")
	if err != nil {
		t.Fatal(err)
	}
	err = who.Do(t.Context(), http.MethodPost, "/api/v1/cards/me/bind", map[string]string{"name": "周敏", "number": "T1001"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	phone, err := who.EnrolCard(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	show := func() string {
		code, err := phone.Code(time.Now())
		if err != nil {
			t.Fatal(err)
		}
		return code
	}

	// A till takes no answer for no network; on a machine that is too slow for one,
	// the next is asked about again.
	had := int64(5000)
	for late := 0; ; late++ {
		arm(t, till, 125)
		r := pay(t, till, show())
		if r.Reason != "granted" || r.Charge == nil || late == 8 {
			t.Fatalf("online: %+v %+v", r, r.Charge)
		}
		had -= 125
		settled(t, who, had)
		if r.Charge.Offline {
			continue
		}
		if r.Charge.BalanceFen == nil || *r.Charge.BalanceFen != had {
			t.Fatalf("online: %+v %+v", r, r.Charge)
		}
		break
	}

	c.Network.Cut(true)
	arm(t, till, 800)
	code := show()
	if r := pay(t, till, code); r.Reason != "granted" || !r.Charge.Offline || r.Charge.BalanceFen != nil {
		t.Fatalf("offline: %+v %+v", r, r.Charge)
	}
	arm(t, till, 800)
	if r := pay(t, till, code); !r.Repeat {
		t.Fatalf("the same code again: %+v", r)
	}
	if v, err := till.View(t.Context()); err != nil || v.Backlog.Records != 1 || v.Backlog.Fen != 800 || !v.Offline {
		t.Errorf("the till says %+v (%v)", v, err)
	}
	c.Network.Cut(false)
	settled(t, who, had-800)
}
