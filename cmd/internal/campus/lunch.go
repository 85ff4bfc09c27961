package campus

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"campusgate/signing/wire"
)

// campusZone is where the invented campus is.
var campusZone = time.FixedZone("CST", 8*3600)

// Yesterday gives a clock that goes as now does and starts at 11:40 on the
// business day before the one that it is.
func Yesterday(now func() time.Time) func() time.Time {
	began := now()
	today, _ := time.ParseInLocation(time.DateOnly, wire.BusinessDay(began.In(campusZone), dayStart), campusZone)
	ahead := today.Add(-24*time.Hour + 11*time.Hour + 40*time.Minute).Sub(began)
	return func() time.Time { return now().Add(ahead) }
}

// diners eat at the canteen before anybody is watching.
var diners = []struct{ name, number, phone string }{
	{"郑海", "T1007", "13800130007"},
	{"王磊", "T1008", "13800130008"},
	{"沈岚", "T1011", "13800130011"},
	{"韩松年", "T0901", "13800130012"},
}

// Diner is somebody with a phone that pays.
type Diner struct {
	Client
	Phone *Phone
}

// Diners signs some people in, binds their cards and has their phones pay.
func (c *Campus) Diners(ctx context.Context) (all []Diner, err error) {
	for i, d := range diners {
		who, err := c.SignInFrom(ctx, d.phone, net.IPv4(127, 0, 3, byte(i+1)))
		if err != nil {
			return nil, err
		}
		err = who.Do(ctx, http.MethodPost, "/api/v1/cards/me/bind", map[string]string{"name": d.name, "number": d.number}, nil)
		if err != nil {
			return nil, err
		}
		phone, err := who.EnrolCard(ctx)
		if err != nil {
			return nil, err
		}
		all = append(all, Diner{who, phone})
	}
	return all, nil
}

// Dine has the canteen serve a lunch of the past, by a clock that the daemons go
// by, closes its batches, and goes on today: with daemons that are processes, and
// their tills open.
func (c *Campus) Dine(ctx context.Context, past func() time.Time) error {
	people, err := c.Diners(ctx)
	if err != nil {
		return err
	}
	for _, t := range c.Tills {
		if _, err := t.Lunch(ctx, past, people, eaten); err != nil {
			return fmt.Errorf("till %q: %w", t.Name, err)
		}
		if err := t.Open(ctx, false); err != nil {
			return fmt.Errorf("till %q does not close: %w", t.Name, err)
		}
	}
	if err := c.Resume(ctx); err != nil {
		return err
	}
	for _, t := range c.Tills {
		if err := t.Open(ctx, true); err != nil {
			return fmt.Errorf("till %q does not open: %w", t.Name, err)
		}
	}
	return nil
}

// eaten is how many meals a till sells in a lunch.
const eaten = 24

// Lunch has people pay at a till, n times in turn, and gives what was taken.
func (t *Till) Lunch(ctx context.Context, now func() time.Time, people []Diner, n int) (fen int64, err error) {
	for i := range n {
		code, err := people[i%len(people)].Phone.Code(now())
		if err != nil {
			return fen, err
		}
		price := int64(450 + 50*(i%7))
		order := map[string]any{"entry": wire.EntryAmount, "amount_fen": price}
		if err := t.Client().Do(ctx, http.MethodPut, "/api/v1/till/sale", order, nil); err != nil {
			return fen, err
		}
		var said struct {
			Reason string `json:"reason"`
		}
		scan := map[string]string{"text": code, "source": "api", "lane": tillLane}
		if err := t.Client().Do(ctx, http.MethodPost, "/api/v1/scans", scan, &said); err != nil {
			return fen, err
		}
		if said.Reason != "granted" {
			return fen, fmt.Errorf("charge %d: %s", i+1, said.Reason)
		}
		fen += price
	}
	return fen, nil
}
