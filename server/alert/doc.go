// Package alert tells a program of the campus what a person has to look at:
// conflicts (passes that were admitted more often than they allow), devices that
// are down while their gate is open, and recharges that do not agree with what
// the payment channel says. It is also what finds such devices.
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
// Every body has id and kind; a receiver skips kinds that it does not know. The
// others are
//
//	{"id": "outage/12/device_down", "kind": "device_down", "gate": 1, "gate_name": "东门",
//	 "lane": "进口", "device": "scanner", "name": "2", "driver": "serial", "state": "lost",
//	 "detail": "…", "since": 1787999990000, "at": 1788000110000}
//	{"id": "outage/12/device_up", "kind": "device_up", …}   the same device; at is when it was well again, or gone
//
//	{"id": "recharge/7", "kind": "recharge", "issue": "mismatch", "channel": "wechat", "order": "R…",
//	 "what": "no such order", "amount_fen": 100, "at": 1788000000123}
//	{"id": "bill/wechat/2026-11-20/9f86d081", "kind": "bill", "channel": "wechat", "day": "2026-11-20",
//	 "missing_here": 1, "missing_there": 0, "differs": 0, "difference_fen": 100, "at": 1788000000123}
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
// conflict of its own, with another id. Of one outage the end is told after the
// beginning was taken.
package alert
