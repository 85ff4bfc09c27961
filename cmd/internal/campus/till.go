package campus

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"campusgate/agent/console"
	"campusgate/devices/pty"
)

// Who does what at the canteen of the invented campus.
const (
	Cashier    = "T1003" // supervisor at the tills
	CashierPIN = "270916"
	cardOffice = "T1006"
	finance    = "T1009"
	manager    = "T1005" // of the merchant
)

const (
	dayStart = 4 * 60 // of a business day: minutes after midnight
	tillLane = "收款台"
)

// Till is a till PC with one scanner.
type Till struct {
	ID      uint16
	Name    string
	URL     string // of the cashier's page; the customer's is at customer
	Agent   *Process
	Data    string     // the agent's folder
	Scanner *pty.Cable // Device is where a scan is written
}

// rules of the tills: three meals, and what is sold by keys.
var rules = map[string]any{
	"entry": "amount", "day_start": dayStart,
	"periods": []map[string]any{
		{"id": "breakfast", "name": "早餐", "name_en": "Breakfast", "from": 6 * 60, "until": 9 * 60},
		{"id": "lunch", "name": "午餐", "name_en": "Lunch", "from": 10*60 + 30, "until": 13*60 + 30},
		{"id": "dinner", "name": "晚餐", "name_en": "Dinner", "from": 16*60 + 30, "until": 20 * 60},
	},
	"menu": []map[string]any{
		{"key": 1, "name": "米饭", "name_en": "Rice", "price_fen": 100},
		{"key": 2, "name": "番茄炒蛋", "name_en": "Egg and tomato", "price_fen": 450},
		{"key": 3, "name": "回锅肉", "name_en": "Twice-cooked pork", "price_fen": 900},
		{"key": 4, "name": "例汤", "name_en": "Soup", "price_fen": 150},
	},
	"pin_above_fen": 5000, "per_tx_fen": 20_000,
	"offline": map[string]any{"per_tx_fen": 3000, "per_account_fen": 6000, "max_records": 2000, "max_age_ms": 24 * 3600_000},
}

// OpenCanteen makes a merchant and gives it tills, each a process of its own,
// puts somebody at them who opens them, and lets cards pay without a network. It
// comes after Populate.
func (c *Campus) OpenCanteen(ctx context.Context, names ...string) error {
	var merchant struct {
		ID int64 `json:"id"`
	}
	err := c.Client.Do(ctx, http.MethodPost, "/api/v1/merchants", map[string]any{"name": "第一食堂", "managers": []string{manager}}, &merchant)
	if err != nil {
		return err
	}
	for role, person := range map[string]string{"cards": cardOffice, "finance": finance, "merchant": manager} {
		if err := c.Client.Do(ctx, http.MethodPost, "/api/v1/posts", map[string]any{"role": role, "person": person}, nil); err != nil {
			return err
		}
	}
	err = c.Client.Do(ctx, http.MethodPut, "/api/v1/cards/settings", map[string]any{
		"limits":  map[string]any{"per_tx_fen": 20_000, "per_meal_fen": 0, "per_day_fen": 50_000},
		"offline": map[string]any{"enabled": true, "per_tx_fen": 3000, "per_day_fen": 6000, "max_tx": 10},
	}, nil)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := c.addTill(ctx, merchant.ID, name); err != nil {
			return fmt.Errorf("till %q: %w", name, err)
		}
	}
	// After the posts: a PIN is for who works somewhere. The tills have it when the
	// server says so.
	err = c.Client.Do(ctx, http.MethodPut, "/api/v1/people/"+Cashier+"/pin", map[string]any{"pin": CashierPIN}, nil)
	if err != nil {
		return err
	}
	for _, t := range c.Tills {
		if err := Until(ctx, func() (bool, error) { return t.Open(ctx, true) == nil, nil }); err != nil {
			return fmt.Errorf("till %q does not open: %w", t.Name, err)
		}
	}
	return nil
}

func (c *Campus) addTill(ctx context.Context, merchant int64, name string) error {
	n := len(c.Tills) + 1
	t := &Till{Name: name, Data: filepath.Join(c.dir, fmt.Sprintf("till%d", n))}
	c.Tills = append(c.Tills, t)
	var made struct {
		ID uint16 `json:"id"`
	}
	err := c.Client.Do(ctx, http.MethodPost, "/api/v1/tills",
		map[string]any{"name": name, "merchant": merchant, "zone": 1, "place": "一楼", "rules": rules}, &made)
	if err != nil {
		return err
	}
	t.ID = made.ID
	err = c.Client.Do(ctx, http.MethodPost, "/api/v1/posts", map[string]any{"role": "supervisor", "person": Cashier, "gate": t.ID}, nil)
	if err != nil {
		return err
	}
	if t.Scanner, err = pty.NewCable(c.dir, fmt.Sprintf("till%d-scanner", n)); err != nil {
		return err
	}
	addr, err := freeAddr()
	if err != nil {
		return err
	}
	t.URL = "http://" + addr + "/"
	config := t.Data + ".yaml"
	var yaml strings.Builder
	fmt.Fprintf(&yaml, "server: http://%s\ndata: %s\nlisten: %s\nmode: terminal\nshift: none\n", c.Network.Addr(), t.Data, addr)
	if len(c.options.FrameAncestors) > 0 {
		fmt.Fprintf(&yaml, "frame_ancestors: [%q]\n", strings.Join(c.options.FrameAncestors, `", "`))
	}
	fmt.Fprintf(&yaml, "lanes:\n  - name: %s\n    scanner: {driver: serial, path: %s, baud: 115200}\n", tillLane, t.Scanner.Host)
	if err := os.WriteFile(config, []byte(yaml.String()), 0o600); err != nil {
		return err
	}
	if t.Agent, err = c.enrolAgent(ctx, t.ID, config, fmt.Sprintf("till %d", n), c.options.Wrap); err != nil {
		return err
	}
	return t.Start(ctx)
}

// Start starts the till's agent, again after a kill, and waits until it can
// charge: like a gate, and with its rules.
func (t *Till) Start(ctx context.Context) error {
	if err := t.Agent.Start(); err != nil {
		return err
	}
	if err := t.Agent.await(ctx, nil, t.URL+"readyz"); err != nil {
		return err
	}
	return Until(ctx, func() (bool, error) {
		var s console.Status
		if err := t.Client().Do(ctx, http.MethodGet, "/api/v1/status", nil, &s); err != nil {
			return false, err
		}
		var v TillView
		if err := t.Client().Do(ctx, http.MethodGet, "/api/v1/till", nil, &v); err != nil {
			return false, err
		}
		return v.Till != nil && ready(&s), nil
	})
}

// Client calls the agent.
func (t *Till) Client() Client { return Client{Base: strings.TrimSuffix(t.URL, "/")} }

// TillView is a part of what a till says of itself.
type TillView struct {
	Till *struct {
		Name     string `json:"name"`
		Merchant string `json:"merchant"`
	} `json:"till"`
	Batch struct {
		Number   uint32 `json:"number"`
		Open     bool   `json:"open"`
		Charges  int    `json:"charges"`
		Voids    int    `json:"voids"`
		TotalFen int64  `json:"total_fen"`
	} `json:"batch"`
	Offline bool `json:"offline"`
	Backlog struct {
		Records uint64 `json:"records"`
		Fen     int64  `json:"fen"`
	} `json:"backlog"`
}

// View asks the till how it is.
func (t *Till) View(ctx context.Context) (v TillView, err error) {
	err = t.Client().Do(ctx, http.MethodGet, "/api/v1/till", nil, &v)
	return v, err
}

// Open opens the till's batch, or closes it.
func (t *Till) Open(ctx context.Context, open bool) error {
	move := map[bool]string{true: "open", false: "close"}[open]
	return t.Client().Do(ctx, http.MethodPost, "/api/v1/till/batch/"+move, map[string]any{"number": Cashier, "pin": CashierPIN}, nil)
}

// stop ends the agent and takes the scanner away.
func (t *Till) stop(stops *sync.WaitGroup) {
	if t.Agent != nil {
		stops.Go(t.Agent.Stop)
	}
}
