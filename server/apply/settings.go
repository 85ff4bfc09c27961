package apply

import (
	"context"
	"errors"
	"fmt"

	"campusgate/server/issue"
	"campusgate/server/store"
)

// Settings are the rules of a campus that are not part of a flow.
type Settings struct {
	AheadDays    int  `json:"ahead_days" doc:"how far ahead a resident may apply; 0 = for today only"`
	QuotaDays    int  `json:"quota_days" doc:"least days between two pass dates of a household; 0 = no quota"`
	QuotaCodes   int  `json:"quota_codes" doc:"codes of a household within these days"`
	MultiDaysMax int  `json:"multi_days_max" doc:"longest multiple-entry resident pass"`
	MaxDays      int  `json:"max_days" doc:"longest work or vehicle pass; 0 = any"`
	AutoSingle   bool `json:"auto_single" doc:"a verified household gets a single-use pass without review"`
	VisitorPass  bool `json:"visitor_pass" doc:"flows may issue visitor passes; where the gate guideline is in force they are refused at the gates"`
	VehiclePass  bool `json:"vehicle_pass" doc:"flows may issue vehicle passes"`
}

// Defaults are the settings of a new campus.
var Defaults = Settings{AheadDays: 2, QuotaDays: 2, QuotaCodes: 1, MultiDaysMax: 7, AutoSingle: true, VehiclePass: true}

// settingsRow is where they are kept.
const settingsRow = "applications"

// maxDays bounds every setting that is a number of days.
const maxDays = 3660

// check wraps issue.ErrInvalid, as a request of a pass that cannot be.
func (v Settings) check() error {
	for _, n := range []struct {
		field       string
		value       int
		least, most int
	}{
		{"ahead_days", v.AheadDays, 0, maxDays},
		{"quota_days", v.QuotaDays, 0, 366},
		{"quota_codes", v.QuotaCodes, 1, 100},
		{"multi_days_max", v.MultiDaysMax, 1, 366},
		{"max_days", v.MaxDays, 0, maxDays},
	} {
		if n.value < n.least || n.value > n.most {
			return &issue.Fault{
				Field: n.field, ZH: fmt.Sprintf("应在 %d 到 %d 之间", n.least, n.most),
				EN: fmt.Sprintf("want %d to %d", n.least, n.most),
			}
		}
	}
	return nil
}

// Settings gives those in force.
func (s *Service) Settings(ctx context.Context) (Settings, error) {
	return settings(ctx, s.Store.Reader())
}

func settings(ctx context.Context, src store.Source) (Settings, error) {
	v := Defaults
	err := store.Kept(ctx, src, settingsRow, &v)
	return v, err
}

// PutSettings puts others into force. They count for what is submitted from
// then on. The error is an *issue.Fault when one is out of its range.
func (s *Service) PutSettings(ctx context.Context, actor string, v Settings) error {
	if err := v.check(); err != nil {
		return err
	}
	return s.Store.Change(ctx, func(t *store.Tx) error {
		return errors.Join(
			t.Keep(settingsRow, v),
			t.Trail(actor, "settings.changed", "", v),
		)
	})
}
