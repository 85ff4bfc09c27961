package utility

import (
	"context"
	"errors"
)

// ErrRefused: the meter's system did not credit this id, and never will.
var ErrRefused = errors.New("the meter refused")

// Meter is where something is used up that was paid before.
type Meter struct {
	ID      string `json:"id"`
	Room    string `json:"room"`
	Fen     int64  `json:"balance_fen" doc:"prepaid and not used"`
	Reading string `json:"reading,omitempty" doc:"as the meter shows it, with its unit"`
}

// Adapter speaks with a system of meters. Safe for concurrent use. Calls respect
// ctx.
type Adapter interface {
	// Meters are those that a person pays for.
	Meters(ctx context.Context, person string) ([]Meter, error)
	// Read gives a meter as it is now.
	Read(ctx context.Context, meter string) (Meter, error)
	// Credit adds fen to a meter once for each id: again with the same id gives
	// the answer of the first time. ErrRefused is wrapped where it did not and
	// never will; after any other error it may have.
	Credit(ctx context.Context, id, meter string, fen int64) error
}
