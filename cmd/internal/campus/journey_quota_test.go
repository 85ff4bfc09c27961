package campus_test

import (
	"errors"
	"net/http"
	"testing"

	"campusgate/cmd/internal/campus"
)

// The members of a household all submit at once, again and again: they get one
// code between them.
func TestJourney_CQ003_HundredAtOnceOfAHouseholdGetOneCode(t *testing.T) {
	c, _ := populated(t)
	var members []campus.Client
	for _, phone := range []string{residentPhone, spousePhone, childPhone} {
		who, err := c.SignIn(t.Context(), phone)
		if err != nil {
			t.Fatal(err)
		}
		members = append(members, who)
	}
	request := map[string]any{"flow": "cqu.resident_pass", "submit": true, "form": map[string]any{
		"type": "single", "head": "林国栋", "compound": "松林坡", "building": "3栋", "room": "201", "date": today(0).Format("2006-01-02"),
	}}
	const n = 100
	begin, answers := make(chan struct{}), make(chan error, n)
	for i := range n {
		go func() {
			<-begin
			answers <- members[i%len(members)].Do(t.Context(), http.MethodPost, "/api/v1/applications", request, nil)
		}()
	}
	close(begin)
	accepted, quota := 0, 0
	for range n {
		var refused *campus.Refusal
		switch err := <-answers; {
		case err == nil:
			accepted++
		case errors.As(err, &refused) && refused.Status == http.StatusConflict && refused.Code == "HOUSEHOLD_QUOTA_2D" &&
			refused.Details["next_date"] == today(2).Format("2006-01-02"):
			quota++
		default:
			t.Errorf("neither accepted nor refused for the quota: %v", err)
		}
	}
	if accepted != 1 || quota != n-1 {
		t.Errorf("%d accepted, %d refused; want 1 and %d", accepted, quota, n-1)
	}
	for query, want := range map[string]int{
		`SELECT count(*) FROM passes`:                                  1,
		`SELECT count(*) FROM applications WHERE state = 'completed'`:  1,
		`SELECT count(*) FROM quota_entries WHERE released_at IS NULL`: 1,
	} {
		if got := rows(t, c, query); got != want {
			t.Errorf("%s: %d, want %d", query, got, want)
		}
	}
}
