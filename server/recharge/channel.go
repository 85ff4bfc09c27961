package recharge

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// What the methods of a Channel wrap. Their texts name no secret and nobody.
var (
	// ErrUnavailable: the channel gave no answer that can be used. What was
	// asked of it may have happened.
	ErrUnavailable = errors.New("payment channel unavailable")
	// ErrRefused: the channel answered that it will not.
	ErrRefused = errors.New("payment channel refused")
	// ErrForged: a notice that the channel cannot have sent just now: signature,
	// key, time or form are wrong.
	ErrForged = errors.New("not a notice of the channel")
)

// Name is a text in both languages.
type Name struct {
	ZH string `json:"zh"`
	EN string `json:"en"`
}

// Info describes a channel to whoever chooses one.
type Info struct {
	ID   string   `json:"id"`
	Name Name     `json:"name"`
	Ways []string `json:"ways" doc:"jsapi: inside the channel's own app; native: a QR code to scan; page: its page on a computer; wap: its page on a phone; trial: a button"`
}

// The ways to pay. The names are permanent.
const (
	JSAPI  = "jsapi"
	Native = "native"
	Page   = "page"
	WAP    = "wap"
	Trial  = "trial"
)

// Request asks a channel for an order. The same id again is the same order.
type Request struct {
	Order   string // 27 characters, letters and digits
	Fen     int64
	Way     string
	Payer   string // openid, where the way needs one
	Title   string // what the payer reads
	Expires time.Time
	Back    string // where a page leads back to
}

// Pay says how to pay an order.
type Pay struct {
	Kind   string            `json:"kind" enum:"native,jsapi,page,trial"`
	Text   string            `json:"text,omitempty" doc:"to be shown as a QR code"`
	Params map[string]string `json:"params,omitempty" doc:"for the app that pays"`
	URL    string            `json:"url,omitempty" doc:"to go to"`
}

// Event is what a channel says became of an order.
type Event string

// The events.
const (
	Waiting  Event = "waiting"  // not paid, and may still be
	Paid     Event = "paid"     // whole
	Refunded Event = "refunded" // by the merchant at the channel; RefundFen says how much
	Closed   Event = "closed"   // not paid, and cannot be any more
	Failed   Event = "failed"   // as Closed, because paying failed
)

// Notice is what a channel said of one order, verified to come from it.
type Notice struct {
	Event     Event
	Order     string
	Trade     string // the channel's own number
	Fen       int64  // of the whole order
	Currency  string // "CNY"
	At        int64  // unix ms by the channel's clock; 0 = it did not say
	RefundFen int64  // all refunds so far; 0 = the channel does not say how much
	Foreign   bool   // genuine, but of another merchant, seller or app than ours
}

// Answer is what a notice is answered with.
type Answer struct {
	Status int
	Type   string // content type; "" = no body
	Body   string
}

// Row is a line of a channel's bill.
type Row struct {
	Order     string
	Trade     string
	Fen       int64 // of the order
	RefundFen int64 // of this refund; 0 = the line is a payment
	At        int64 // unix ms
}

// Channel is a way for money to come in. Safe for concurrent use. Calls respect
// ctx and end by themselves in bounded time.
type Channel interface {
	Info() Info
	// Create makes the order known to the channel, and is repeated with the
	// same content when its answer was lost. Errors: ErrUnavailable, ErrRefused.
	Create(ctx context.Context, r Request) (Pay, error)
	// Query asks what became of an order. One that the channel does not know is
	// Waiting: its Create may still be on the way. Errors: ErrUnavailable.
	Query(ctx context.Context, order string) (Notice, error)
	// Close makes sure that an order cannot be paid any more. One that the
	// channel does not know is closed. Errors: ErrUnavailable, and ErrRefused
	// when it was paid before.
	Close(ctx context.Context, order string) error
	// Callback verifies a notice as it came. Errors: ErrForged.
	Callback(header http.Header, body []byte, now time.Time) (Notice, error)
	// Answer is for a notice that was stored, or was not.
	Answer(stored bool) Answer
	// Bill gives the payments and refunds of a campus day; none is no error.
	// Errors: ErrUnavailable, also while the bill is not ready.
	Bill(ctx context.Context, day time.Time) ([]Row, error)
}
