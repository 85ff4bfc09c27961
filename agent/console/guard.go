package console

import (
	"context"
	"errors"
	"math"
	"net/http"
	"strconv"

	"campusgate/agent/desk"
	"campusgate/agent/lane"
	"campusgate/agent/shift"
	"campusgate/agent/snapshot"
	"campusgate/signing"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// postShift puts a guard on duty, who says so with a PIN.
func (c *Console) postShift(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Number string `json:"number"`
		PIN    string `json:"pin"`
	}
	if err := c.decode(w, r, &in); err != nil {
		return err
	}
	if c.guards == nil {
		return badPIN.with("number", in.Number)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), presentTimeout)
	defer cancel()
	on, err := c.guards.Begin(ctx, in.Number, in.PIN)
	if err != nil {
		return loginFailure(w, err)
	}
	c.calls.Nudge()
	if c.kiosk == nil {
		c.answer(w, http.StatusOK, on)
		return nil
	}
	keyed := struct {
		desk.Shift
		Key string `json:"key"` // for everything else that a guard does here
	}{Shift: on}
	if keyed.Key, err = c.mint(on.Number); err != nil {
		return err
	}
	c.answer(w, http.StatusOK, keyed)
	return nil
}

// loginFailure translates what came of a number and a PIN.
func loginFailure(w http.ResponseWriter, err error) error {
	var wait *shift.LockedError
	if !errors.As(err, &wait) {
		return deskFailure(err)
	}
	seconds := int(math.Ceil(wait.Wait.Seconds()))
	w.Header().Set("Retry-After", strconv.Itoa(seconds))
	return locked.with("retry_after", seconds)
}

// deleteShift takes the guard off duty.
func (c *Console) deleteShift(w http.ResponseWriter, r *http.Request) error {
	if c.guards != nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), presentTimeout)
		defer cancel()
		if err := c.guards.End(ctx); err != nil {
			return deskFailure(err)
		}
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// entryRequest is what a guard fills in for somebody without a code. Without a
// lane it is the first of that direction; without a direction it is in.
type entryRequest struct {
	Lane      string            `json:"lane"`
	Direction verdict.Direction `json:"direction"`
	Rule      string            `json:"rule"`
	Documents []string          `json:"documents"`
	Register  *struct {
		Person   string        `json:"person"`
		Number   string        `json:"number"`
		Relation string        `json:"relation"`
		Staff    string        `json:"staff"`
		Ends     *wire.EventID `json:"ends"`
	} `json:"register"`
	Note string         `json:"note"`
	Pass signing.PassID `json:"pass"`
}

func (c *Console) postEntry(w http.ResponseWriter, r *http.Request) error {
	var in entryRequest
	if err := c.decode(w, r, &in); err != nil {
		return err
	}
	if id := c.unknownDocument(in.Documents); id != "" {
		return noDocument.with("document", id)
	}
	e := lane.Entry{
		Lane: in.Lane, Direction: in.Direction, Rule: in.Rule, Documents: in.Documents, Note: in.Note, Pass: in.Pass,
	}
	if e.Direction == "" {
		e.Direction = verdict.Entry
	}
	if e.Lane == "" {
		e.Lane = laneFor(c.status().Lanes, e.Direction)
	}
	if g := in.Register; g != nil {
		e.Register = &wire.Register{Person: g.Person, Number: g.Number, Relation: g.Relation, Staff: g.Staff, Ends: g.Ends}
	}
	return c.settle(w, r, func(ctx context.Context) (desk.Result, error) { return c.lanes.Enter(ctx, e) })
}

// laneFor is the first lane of a direction, or the first of all.
func laneFor(lanes []Lane, d verdict.Direction) string {
	for _, l := range lanes {
		if l.Direction == string(d) {
			return l.Name
		}
	}
	if len(lanes) > 0 {
		return lanes[0].Name
	}
	return ""
}

// attended refuses to tell of people while nobody is there who may know.
func (c *Console) attended() error {
	if s := c.status().Shift; s.Required && s.Guard == nil {
		return &noShift
	}
	return nil
}

func (c *Console) getRegisters(w http.ResponseWriter, r *http.Request) error {
	if err := c.attended(); err != nil {
		return err
	}
	list := []lane.Registered{}
	if c.lookup != nil {
		var err error
		if list, err = c.lookup.Registers(r.Context()); err != nil {
			return err
		}
	}
	c.answer(w, http.StatusOK, map[string]any{"registers": list})
	return nil
}

func (c *Console) getPasses(w http.ResponseWriter, r *http.Request) error {
	if err := c.attended(); err != nil {
		return err
	}
	found, more := []snapshot.Found{}, false
	if c.lookup != nil {
		list, others, err := c.lookup.Search(r.Context(), r.URL.Query().Get("q"))
		if errors.Is(err, snapshot.ErrQuery) {
			return badRequest.with("q", err.Error())
		}
		if err != nil {
			return err
		}
		found, more = append(found, list...), others
	}
	c.answer(w, http.StatusOK, map[string]any{"passes": found, "more": more})
	return nil
}
