package demo

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"campusgate/cmd/internal/campus"
)

// payer is somebody of configs/people who has a campus card.
var payer = struct{ phone, name, number string }{"13800130014", "何一帆", "S26001"}

// cardID is what the payment code is called among the passes on phones.
const cardID = "card"

// signInLimit is how long the phone has to become one that pays.
const signInLimit = 20 * time.Second

// pay puts the payment codes of the payer on a phone.
func (p *Page) pay(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), signInLimit)
	defer cancel()
	if err := p.carry(ctx); err != nil {
		fail(w, http.StatusBadGateway, err)
		return
	}
	view := passView{Pass: campus.Pass{ID: cardID}, Kind: payKind, Name: payer.name, Doc4: payer.number}
	p.mu.Lock()
	defer p.mu.Unlock()
	var err error
	if view.codeView, err = p.shown[cardID].look(p.now()); err != nil {
		fail(w, http.StatusInternalServerError, err)
		return
	}
	reply(w, view)
}

// carry signs the payer in, binds the card and gives the phone a key, once.
func (p *Page) carry(ctx context.Context) error {
	p.carrying.Lock()
	defer p.carrying.Unlock()
	if p.holder() != nil {
		return nil
	}
	who, err := p.campus.SignIn(ctx, payer.phone)
	if err != nil {
		return err
	}
	err = who.Do(ctx, http.MethodPost, "/api/v1/cards/me/bind", map[string]string{"name": payer.name, "number": payer.number}, nil)
	if err != nil {
		return err
	}
	phone, err := who.EnrolCard(ctx)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.card, p.shown[cardID] = &who, &screen{phone: phone}
	return nil
}

// holder is the payer's session; nil = the phone does not pay yet.
func (p *Page) holder() *campus.Client {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.card
}

// balance asks what is on the payer's card; nil = there is nobody to ask for, or
// no answer.
func (p *Page) balance(ctx context.Context) *int64 {
	who := p.holder()
	if who == nil {
		return nil
	}
	var card struct {
		BalanceFen int64 `json:"balance_fen"`
	}
	if err := who.Do(ctx, http.MethodGet, "/api/v1/cards/me", nil, &card); err != nil {
		return nil
	}
	return &card.BalanceFen
}

// scanner is the device end of the cable of a gate's or till's scanner.
func (p *Page) scanner(id uint16) (device string, err error) {
	for _, g := range p.campus.Gates {
		if g.ID == id {
			return g.Scanner.Device, nil
		}
	}
	for _, t := range p.campus.Tills {
		if t.ID == id {
			return t.Scanner.Device, nil
		}
	}
	return "", fmt.Errorf("no gate or till %d", id)
}
