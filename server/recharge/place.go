package recharge

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"time"

	"campusgate/server/store"
	"campusgate/signing/wire"
)

// Placing asks for an order.
type Placing struct {
	Person  string // who asks, and pays
	Key     string // id made by the asker: the same again is the same order
	Account string // Card.Number to be credited; "" = the person's own
	Fen     int64
	Channel string
	Way     string
	Payer   string // openid, where the way is JSAPI
}

// How long an order can be paid, and how many of one person may wait.
const (
	lifetime = 30 * time.Minute
	maxOpen  = 20
)

var (
	keyForm   = regexp.MustCompile(`^[A-Za-z0-9-]{8,64}$`)
	payerForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`)
)

// Place makes an order, tells the channel of it and gives how to pay. When the
// channel gave no answer the order is there without that: to ask again with the
// same Key is right. Errors: *Fault, ErrNoCard, ErrCardClosed, ErrOff, ErrKey,
// ErrTooMany, ErrUnavailable, ErrRefused.
func (s *Service) Place(ctx context.Context, p Placing) (Order, error) {
	if !keyForm.MatchString(p.Key) {
		return Order{}, &Fault{"id", "编号应为 8 到 64 位字母、数字或短横线", "want 8 to 64 letters, digits or dashes"}
	}
	card, err := s.card(ctx, p.Person, p.Account)
	if err != nil {
		return Order{}, err
	}
	o := Order{
		ID: orderID(p.Person, p.Key), Person: p.Person, Key: p.Key, Account: card.Account,
		Channel: p.Channel, Way: p.Way, Payer: p.Payer, Fen: p.Fen,
	}
	stored, err := s.Find(ctx, o.ID)
	if errors.Is(err, store.ErrNotFound) {
		if err := s.admits(ctx, o, card); err != nil {
			return Order{}, err
		}
		err = s.Store.Change(ctx, func(t *store.Tx) (err error) {
			o.CreatedAt, o.ExpiresAt = t.Now(), t.Now()+lifetime.Milliseconds()
			if err := insert(t, o); err != nil {
				return err
			}
			stored, err = find(t.Context(), t, o.ID) // another call may have been first
			return err
		})
	}
	if err != nil {
		return Order{}, err
	}
	if stored.Account != o.Account || stored.Channel != o.Channel || stored.Way != o.Way || stored.Payer != o.Payer || stored.Fen != o.Fen {
		return Order{}, ErrKey
	}
	return s.payable(ctx, stored)
}

// admits checks a new order.
func (s *Service) admits(ctx context.Context, o Order, card Card) error {
	ch := s.channels[o.Channel]
	switch {
	case o.Fen < s.Min || o.Fen > s.Max:
		return &Fault{"amount_fen", "金额应在 " + Yuan(s.Min) + " 元到 " + Yuan(s.Max) + " 元之间", "want " + Yuan(s.Min) + " to " + Yuan(s.Max) + " yuan"}
	case ch == nil || !slices.Contains(ch.Info().Ways, o.Way):
		return ErrOff
	case o.Way == JSAPI && !payerForm.MatchString(o.Payer):
		return &Fault{"payer", "缺少付款人的 openid", "missing: the openid of whoever pays"}
	case o.Way != JSAPI && o.Payer != "":
		return &Fault{"payer", "这种支付方式不需要", "this way to pay has none"}
	case card.State == wire.CardClosed:
		return ErrCardClosed
	}
	n, err := open(ctx, s.Store.Reader(), o.Person)
	if err == nil && n >= maxOpen {
		err = ErrTooMany
	}
	return err
}

// payable asks the channel how an order is paid, unless that is known or too
// late.
func (s *Service) payable(ctx context.Context, o Order) (Order, error) {
	ch := s.channels[o.Channel]
	if o.Pay != nil || o.State() != StateCreated || ch == nil || s.Now().UnixMilli() >= o.ExpiresAt {
		return o, nil
	}
	pay, err := ch.Create(ctx, Request{
		Order: o.ID, Fen: o.Fen, Way: o.Way, Payer: o.Payer, Title: "校园卡充值",
		Expires: time.UnixMilli(o.ExpiresAt), Back: s.Public + "/m/card/recharge/" + o.ID,
	})
	if err != nil {
		return o, err
	}
	// The first answer is kept and given to everybody: a second one may be of a
	// later moment, and signed anew.
	err = s.Store.Change(ctx, func(t *store.Tx) error {
		err := savePay(t, o.ID, pay)
		if err == nil {
			o, err = find(t.Context(), t, o.ID)
		}
		return err
	})
	return o, err
}
