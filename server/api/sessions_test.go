package api_test

import "testing"

// Whoever has a phone that an official took away is not that person any more, and
// leaving ends what one was signed in with: who comes back signs in anew.
func TestPerson_WhatAnOfficialChangesEndsSessions(t *testing.T) {
	for name, changes := range map[string][]map[string]any{
		"phone":         {{"phone": "13800139999"}},
		"left":          {{"state": "left"}},
		"left and back": {{"state": "left"}, {"state": "active"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.settle(t)
			_, session := w.byPhone(t, "13800130021")
			p, err := w.staff.ByPhone(t.Context(), w.db.Reader(), "13800130021")
			ok(t, err)
			if r := w.call(t, session, "GET", "/api/v1/me", nil); r.status != 200 {
				t.Fatalf("not signed in: %d", r.status)
			}
			for _, change := range changes {
				w.want(t, 200, "PUT", "/api/v1/people/"+p.ID, change, nil)
			}
			if r := w.call(t, session, "GET", "/api/v1/me", nil); r.status != 401 {
				t.Errorf("still signed in: %d", r.status)
			}
		})
	}
}
