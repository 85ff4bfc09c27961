package till

import (
	"context"

	"campusgate/agent/desk"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// findLength is how far back in the batch a charge is looked for.
const findLength = 2000

// Charge finds an accepted charge: among the latest attempts, where holder and
// balance are known, and otherwise in the last batch. ErrNoCharge.
func (d *Desk) Charge(ctx context.Context, event wire.EventID) (desk.Result, error) {
	is := func(r *desk.Result) bool {
		return r.Charge != nil && r.Event != nil && *r.Event == event && r.Reason == verdict.Granted && !r.Repeat
	}
	for _, r := range d.Recent() {
		if is(&r) {
			return r, nil
		}
	}
	list, err := d.Charges(ctx, findLength)
	if err != nil {
		return desk.Result{}, err
	}
	for _, r := range list {
		if is(&r) {
			return r, nil
		}
	}
	return desk.Result{}, ErrNoCharge
}
