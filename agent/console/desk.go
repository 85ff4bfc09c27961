package console

import (
	"context"

	"campusgate/agent/desk"
	"campusgate/agent/lane"
	"campusgate/agent/snapshot"
	"campusgate/agent/till"
	"campusgate/signing/wire"
)

// Desk is what the console needs of a gate and of a till. All methods are safe
// for concurrent use. Errors are those of packages desk, lane and till; any other
// is a fault of the agent's.
type Desk interface {
	// Present hands a code to the lane of that name as if its scanner had read it, and waits
	// for the result. A refusal, and a question to the guard, are results.
	Present(ctx context.Context, where, source, text string) (desk.Result, error)
	// Recent gives the latest attempts, newest first.
	Recent() []desk.Result
	// Subscribe delivers every result from now on, in order, and an attempt
	// again whenever it changes (answered, annulled). The channel is closed by
	// the returned function, when the subscriber is too far behind, or when the
	// lanes stop; after that Subscribe returns one that is closed already.
	Subscribe() (<-chan desk.Result, func())
}

// Lanes is a Desk where people go through; *lane.Desk is one.
type Lanes interface {
	Desk
	// Answer settles a question: the documents that were shown, or a refusal.
	Answer(ctx context.Context, id string, documents []string, refuse bool) (desk.Result, error)
	// Confirm says that somebody comes in although nobody can confirm it.
	Confirm(ctx context.Context, id string) (desk.Result, error)
	// Enter lets somebody without a code in or out, or refuses.
	Enter(ctx context.Context, in lane.Entry) (desk.Result, error)
	// Annul takes back an admission after which nobody went through.
	Annul(ctx context.Context, id string) (desk.Result, error)
	// Raise raises or ends a lockdown or an emergency opening of this gate's own.
	Raise(ctx context.Context, state wire.AlarmState, source wire.AlarmSource, reason string) error
}

// Till is a Desk where they pay; *till.Desk is one.
type Till interface {
	Desk
	// View is the till as it is. Changed tells that View may answer differently.
	View(ctx context.Context) (till.View, error)
	Changed() <-chan struct{}
	// Arm makes a sale the next one; Disarm takes it back.
	Arm(ctx context.Context, o till.Order) error
	Disarm(ctx context.Context) error
	// Confirm answers whether the same holder pays once more.
	Confirm(ctx context.Context, id string, refuse bool) (desk.Result, error)
	// Charges gives the accepted charges of the last batch, newest first.
	Charges(ctx context.Context, limit int) ([]desk.Result, error)
	// Void takes a charge back, for the supervisor of that number.
	Void(ctx context.Context, event wire.EventID, by string) (desk.Result, error)
	// MoveBatch opens or closes the batch, for the number or for who is on duty.
	MoveBatch(ctx context.Context, move wire.BatchMove, by string) (till.Batch, error)
	// Batches gives the latest batches, newest first.
	Batches(ctx context.Context, limit int) ([]till.Batch, error)
}

// Guards is what the console needs to put guards on duty; *shift.Logins is one.
type Guards interface {
	// Begin checks a PIN. Errors are those of package shift and of package lane.
	Begin(ctx context.Context, number, digits string) (desk.Shift, error)
	End(ctx context.Context) error
	// Check tells whose number and PIN these are. Errors are those of package shift.
	Check(number, digits string) (wire.Guard, error)
	// On is the guard on duty; zero = nobody.
	On() desk.Shift
}

// Lookup is what the console can tell a guard of passes and registers.
type Lookup interface {
	// Search finds passes that can be used here now or soon.
	Search(ctx context.Context, query string) (list []snapshot.Found, more bool, err error)
	// Registers lists who is out, or in, by a register that began here.
	Registers(ctx context.Context) ([]lane.Registered, error)
}
