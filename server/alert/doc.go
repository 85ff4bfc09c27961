// Package alert tells a program of the campus of every conflict: a pass that was
// admitted more often than it allows.
//
// FORMAT. A delivery is one call:
//
//	POST <url>
//	Content-Type: application/json
//	X-Campusgate-Timestamp: 1788000000                 unix seconds
//	X-Campusgate-Id: 00000000000000a2/2-1-8            the delivery
//	X-Campusgate-Signature: sha256=9f86…               64 hex digits
//
//	{"id": "00000000000000a2/2-1-8", "kind": "conflict", "pass": "00000000000000a2",
//	 "allowed": 1, "detected_at": 1788000000123, "admissions": [
//	  {"ref": "2-1-8", "gate": 1, "gate_name": "东门", "at": 1787999990000,
//	   "mode": "first_seen", "offline": true, "guard": "2013044"}, …]}
//
// Times in the body are unix milliseconds; mode is owner, online or first_seen;
// mode and guard are missing where the gate's journal says nothing of them. No
// person is named: a guard is a number.
//
// The signature is HMAC-SHA-256, under the secret of the configuration, of the
// timestamp, a dot, and the body as sent. A receiver refuses a wrong signature
// and a timestamp more than 5 minutes away.
//
// Any status 2xx means that the delivery was taken. Everything else, a redirect
// among it, is tried again, for ever, with growing pauses: what the server was
// about to send is in its database. An answer can get lost, so a delivery may
// come again, with the same id: a receiver that drops ids it has had is told of
// every conflict exactly once. A further admission of the same pass is a
// conflict of its own, with another id.
package alert
