package api_test

import (
	"log/slog"
	"time"

	"campusgate/server/recharge"
	"campusgate/server/recharge/cash"
	"campusgate/server/utility"
)

var campusZone = time.FixedZone("CST", 8*3600)

// counter is recharging with the test channel.
func (w *world) counter(more ...recharge.Channel) *recharge.Service {
	return recharge.New(recharge.Config{
		Store: w.db, Ledger: w.money, Cards: recharge.Holders{Service: w.cards}, Channels: append(more, w.trial), Now: w.Now, Location: campusZone,
		Log: slog.New(slog.NewTextHandler(w.log, nil)), Amounts: recharge.DefaultAmounts(), Min: recharge.DefaultMin, Max: recharge.DefaultMax,
	})
}

func (w *world) drawers() *cash.Desk {
	return cash.New(cash.Config{
		Store: w.db, Ledger: w.money, Cards: recharge.Holders{Service: w.cards}, Location: campusZone, Max: recharge.DefaultMax,
	})
}

func (w *world) meters() *utility.Service {
	return utility.New(utility.Config{
		Store: w.db, Ledger: w.money, Cards: recharge.Holders{Service: w.cards}, Kinds: utility.TestKinds(w.db), Now: w.Now, Location: campusZone,
		Log: slog.New(slog.NewTextHandler(w.log, nil)), Amounts: recharge.DefaultAmounts(), Max: recharge.DefaultMax,
	})
}
