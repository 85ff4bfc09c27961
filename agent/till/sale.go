package till

import (
	"errors"
	"fmt"
	"time"

	"campusgate/agent/desk"
	"campusgate/signing/wire"
)

// Bounds of a sale.
const (
	maxSaleFen  = 10_000_000
	maxItems    = 50
	maxQuantity = 99
)

// ErrSale: a sale that the rules of the till do not have, or no rules.
var ErrSale = errors.New("no such sale at this till")

// Pressed is a menu key and how often.
type Pressed struct {
	Key      int `json:"key"`
	Quantity int `json:"quantity"`
}

// Order is a sale as the cashier keys it in. AmountFen goes with EntryAmount,
// Items with EntryMenu. A sticky sale stays armed after it was paid.
type Order struct {
	Entry     wire.EntryMode `json:"entry"`
	AmountFen int64          `json:"amount_fen"`
	Items     []Pressed      `json:"items"`
	Sticky    bool           `json:"sticky"`
}

// Arm makes a sale the next one; Disarm takes it back.
type Arm struct {
	desk.Stamp
	Order Order
	Till  *wire.Till // the rules in force; nil = none are known
}

// Disarm is documented at Arm.
type Disarm struct{ desk.Stamp }

// Sale is what the next code pays. A price of the meal period is of now.
type Sale struct {
	Entry     wire.EntryMode    `json:"entry"`
	AmountFen int64             `json:"amount_fen"`
	Items     []wire.ChargeItem `json:"items"`
	Armed     bool              `json:"armed"`
	Sticky    bool              `json:"sticky"`

	config string // version of the rules it was armed by
}

// Armed is the effect that says which sale is armed; nil = none.
type Armed struct{ Sale *Sale }

// again reports that the next code would pay without the cashier's doing.
func (s *Sale) again() bool { return !s.Armed || s.Sticky }

// sell prices an order.
func sell(o *Order, r *wire.Till, period wire.MealPeriod) (*Sale, error) {
	bad := func(what string, args ...any) (*Sale, error) {
		return nil, fmt.Errorf("%w: "+what, append([]any{ErrSale}, args...)...)
	}
	if r == nil {
		return bad("the till has no rules yet")
	}
	s := &Sale{Entry: o.Entry, Items: []wire.ChargeItem{}, Armed: true, Sticky: o.Sticky, config: r.Version}
	switch o.Entry {
	case wire.EntryAmount:
		s.AmountFen = o.AmountFen
	case wire.EntryFixed:
		s.AmountFen = r.FixedFen
	case wire.EntryPeriod:
		s.AmountFen = period.PriceFen
	case wire.EntryMenu:
		if err := s.add(o.Items, r.Menu); err != nil {
			return bad("items: %v", err)
		}
	default:
		return bad("entry: want amount, fixed, period or menu")
	}
	switch {
	case o.Entry != wire.EntryMenu && len(o.Items) > 0:
		return bad("items: go with entry menu")
	case o.Entry != wire.EntryAmount && o.AmountFen != 0 && o.AmountFen != s.AmountFen:
		return bad("amount_fen: the price is %d fen", s.AmountFen)
	case s.AmountFen <= 0 && o.Entry == wire.EntryPeriod:
		return bad("entry: there is no meal now")
	case s.AmountFen <= 0 || s.AmountFen > maxSaleFen:
		return bad("amount_fen: want 1 to %d fen", maxSaleFen)
	}
	return s, nil
}

func (s *Sale) add(items []Pressed, menu []wire.MenuKey) error {
	if len(items) == 0 || len(items) > maxItems {
		return fmt.Errorf("want 1 to %d", maxItems)
	}
	for _, p := range items {
		if p.Quantity < 1 || p.Quantity > maxQuantity {
			return fmt.Errorf("quantity of key %d: want 1 to %d", p.Key, maxQuantity)
		}
		found := false
		for _, m := range menu {
			if found = m.Key == p.Key; found {
				s.Items = append(s.Items, wire.ChargeItem{Key: m.Key, Name: m.Name, PriceFen: m.PriceFen, Quantity: p.Quantity})
				s.AmountFen += m.PriceFen * int64(p.Quantity)
				break
			}
		}
		if !found {
			return fmt.Errorf("the menu has no key %d", p.Key)
		}
	}
	return nil
}

// priced is what a code pays: the armed sale, or the till's price; nil = nothing
// is asked.
func (c *Core) priced(r *wire.Till, period wire.MealPeriod) *Sale {
	s := c.sale
	if s == nil {
		if r == nil || r.Entry != wire.EntryFixed && r.Entry != wire.EntryPeriod {
			return nil
		}
		s = &Sale{Entry: r.Entry, AmountFen: r.FixedFen, config: r.Version}
	}
	if s.Entry == wire.EntryPeriod {
		s = new(*s)
		s.AmountFen = period.PriceFen
	}
	if s.AmountFen <= 0 {
		return nil
	}
	return s
}

// when is the business day and the meal period of a moment.
func when(r *wire.Till, at int64, zone *time.Location) (day string, period wire.MealPeriod) {
	if r == nil {
		r = &wire.Till{}
	}
	return r.When(time.UnixMilli(at).In(zone))
}

func (c *Core) arm(in Arm, now desk.Moment) []desk.Effect {
	_, period := when(in.Till, now.At, c.cfg.Zone)
	s, err := sell(&in.Order, in.Till, period)
	if err != nil {
		return []desk.Effect{desk.Reject{Err: err}}
	}
	return append(c.hold(s), desk.Done{})
}

// hold makes s the armed sale.
func (c *Core) hold(s *Sale) []desk.Effect {
	next := c.state
	next.sale = s
	c.set(next)
	return []desk.Effect{Armed{s}}
}
