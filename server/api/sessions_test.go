package api_test

import "testing"

// Whoever has a phone that an official took away is not that person any more.
func TestPerson_APhoneThatIsTakenAwayIsSignedOut(t *testing.T) {
	w := newWorld(t)
	w.settle(t)
	_, session := w.byPhone(t, "13800130021")
	p, err := w.staff.ByPhone(t.Context(), w.db.Reader(), "13800130021")
	ok(t, err)
	w.want(t, 200, "PUT", "/api/v1/people/"+p.ID, map[string]any{"phone": "13800139999"}, nil)
	if r := w.call(t, session, "GET", "/api/v1/me", nil); r.status != 401 {
		t.Errorf("whoever has the old phone is still signed in: %d", r.status)
	}
}

// Leaving ends what one was signed in with.
func TestPerson_WhoComesBackSignsInAnew(t *testing.T) {
	w := newWorld(t)
	w.settle(t)
	_, session := w.byPhone(t, "13800130021")
	p, err := w.staff.ByPhone(t.Context(), w.db.Reader(), "13800130021")
	ok(t, err)
	w.want(t, 200, "PUT", "/api/v1/people/"+p.ID, map[string]any{"state": "left"}, nil)
	if r := w.call(t, session, "GET", "/api/v1/me", nil); r.status != 401 {
		t.Errorf("left: %d", r.status)
	}
	w.want(t, 200, "PUT", "/api/v1/people/"+p.ID, map[string]any{"state": "active"}, nil)
	if r := w.call(t, session, "GET", "/api/v1/me", nil); r.status != 401 {
		t.Errorf("a session of before is good again: %d", r.status)
	}
}
