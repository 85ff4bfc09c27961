package console

import (
	"context"
	"net/http"
	"strconv"

	"campusgate/agent/desk"
	"campusgate/agent/till"
	"campusgate/signing/wire"
)

// This file is what a cashier does.

// How many charges or batches a list gives.
const (
	usualList = 20
	maxList   = 200
)

func (c *Console) getTill(w http.ResponseWriter, r *http.Request) error {
	v, err := c.till.View(r.Context())
	if err != nil {
		return err
	}
	c.answer(w, http.StatusOK, v)
	return nil
}

func (c *Console) putSale(w http.ResponseWriter, r *http.Request) error {
	var in till.Order
	if err := c.decode(w, r, &in); err != nil {
		return err
	}
	return c.key(w, r, func(ctx context.Context) error { return c.till.Arm(ctx, in) })
}

func (c *Console) deleteSale(w http.ResponseWriter, r *http.Request) error {
	return c.key(w, r, c.till.Disarm)
}

// key does what a key of the till does, and answers with the till as it is then.
func (c *Console) key(w http.ResponseWriter, r *http.Request, press func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), presentTimeout)
	defer cancel()
	if err := press(ctx); err != nil {
		return deskFailure(err)
	}
	return c.getTill(w, r)
}

// postConfirm says whether the same holder pays once more.
func (c *Console) postConfirm(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Confirm bool `json:"confirm"`
		Refuse  bool `json:"refuse"`
	}
	if err := c.decode(w, r, &in); err != nil {
		return err
	}
	if in.Confirm == in.Refuse {
		return badRequest.with("confirm", "give either confirm: true, or refuse: true")
	}
	return c.settle(w, r, func(ctx context.Context) (desk.Result, error) {
		return c.till.Confirm(ctx, r.PathValue("id"), in.Refuse)
	})
}

func (c *Console) getCharges(w http.ResponseWriter, r *http.Request) error {
	n, err := listed(r)
	if err != nil {
		return err
	}
	list, err := c.till.Charges(r.Context(), n)
	if err != nil {
		return err
	}
	c.answer(w, http.StatusOK, map[string]any{"charges": list})
	return nil
}

func (c *Console) getBatches(w http.ResponseWriter, r *http.Request) error {
	n, err := listed(r)
	if err != nil {
		return err
	}
	list, err := c.till.Batches(r.Context(), n)
	if err != nil {
		return err
	}
	c.answer(w, http.StatusOK, map[string]any{"batches": append([]till.Batch{}, list...)})
	return nil
}

func listed(r *http.Request) (int, error) {
	text := r.URL.Query().Get("limit")
	if text == "" {
		return usualList, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > maxList {
		return 0, badRequest.with("limit", "want 1 to "+strconv.Itoa(maxList))
	}
	return n, nil
}

// login is somebody who answers for something with number and PIN.
type login struct {
	Number string `json:"number"`
	PIN    string `json:"pin"`
}

func (c *Console) check(w http.ResponseWriter, in login) (wire.Guard, error) {
	if c.guards == nil {
		return wire.Guard{}, badPIN.with("number", in.Number)
	}
	g, err := c.guards.Check(in.Number, in.PIN)
	if err != nil {
		return g, loginFailure(w, err)
	}
	return g, nil
}

func (c *Console) postVoid(w http.ResponseWriter, r *http.Request) error {
	var in login
	if err := c.decode(w, r, &in); err != nil {
		return err
	}
	event, err := wire.ParseEventID(r.PathValue("event"))
	if err != nil {
		return &noCharge
	}
	g, err := c.check(w, in)
	if err != nil {
		return err
	}
	if !g.Supervisor {
		return noSupervisor.with("number", in.Number)
	}
	return c.settle(w, r, func(ctx context.Context) (desk.Result, error) { return c.till.Void(ctx, event, in.Number) })
}

// postBatch opens or closes the batch. Without a number whoever is on duty
// answers for it.
func (c *Console) postBatch(w http.ResponseWriter, r *http.Request) error {
	move, known := map[string]wire.BatchMove{"open": wire.BatchOpens, "close": wire.BatchCloses}[r.PathValue("move")]
	if !known {
		return &notFound
	}
	var in login
	if err := c.decode(w, r, &in); err != nil {
		return err
	}
	if in.Number != "" {
		if _, err := c.check(w, in); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), presentTimeout)
	defer cancel()
	b, err := c.till.MoveBatch(ctx, move, in.Number)
	if err != nil {
		return deskFailure(err)
	}
	c.answer(w, http.StatusOK, b)
	return nil
}

// sendTill tells the pages how the till is. They hear it again within a second.
func (c *Console) sendTill(ctx context.Context) {
	if c.till == nil || c.hub.idle() {
		return
	}
	v, err := c.till.View(ctx)
	if err != nil {
		c.log.Error("till not shown", "error", err)
		return
	}
	c.send(tillMessage{Type: "till", View: v})
}
