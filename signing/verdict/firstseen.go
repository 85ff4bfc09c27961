package verdict

import "slices"

// This file is the policy FirstSeen: several gates may admit a pass, none
// decides for the others, and a gate that reaches nobody may admit within
// limits.

// SharedUse reports whether the pass is one of those that FirstSeen is about
// here: good for one use, and of nobody outside of the gates with that policy.
// Then everybody is asked who may have admitted it.
func (c *Case) SharedUse() bool {
	return c.Policy.Mode == FirstSeen && c.Offline.Shared && c.Code.Uses == 1 && c.Code.Kind.OpensGates()
}

// Asks is who has to be asked first: the server in everything that is shared.
func (c *Case) Asks() uint16 {
	if c.SharedUse() {
		return 0
	}
	return c.Decider()
}

// undecided: the question led to no answer that lets anybody in.
func (c *Case) undecided() bool {
	switch c.Claim.State {
	case ClaimSilent, ClaimReserved:
		return true
	case ClaimRefused:
		return c.Code.Kind.OpensGates()
	case ClaimUnreached:
		return !c.mayActAlone()
	case ClaimUnasked, ClaimGranted, ClaimUsed:
	}
	return false
}

// mayActAlone: within the limits, and with a record that goes back to before
// the pass was issued. An agent that was enrolled since may have forgotten
// whom it admitted.
func (c *Case) mayActAlone() bool {
	o := &c.Offline
	return c.SharedUse() && c.Code.IssuedAt >= c.Lane.OwnsFrom && o.Admitted < o.Max &&
		o.MaxAgeMS > 0 && !older(c.At, c.Policy.Fresh, o.MaxAgeMS)
}

// allowed reports whether the server, or whoever else decides, has counted this
// very admission already. What is known here may then hold it.
func (c *Case) allowed() bool {
	return c.Claim.State == ClaimGranted ||
		c.Claim.State == ClaimUnreached && !slices.Contains(c.Claim.Unreached, 0)
}

// alone admits without everybody having been asked.
func (c *Case) alone() Verdict {
	if c.Offline.Confirm && !c.Offline.Confirmed {
		return Verdict{Reason: NeedsInput, Need: NeedConfirm, Mark: MarkUnconfirmed}
	}
	v := c.grant()
	if v.Reason == Granted {
		v.Mark = MarkUnconfirmed
	}
	return v
}
