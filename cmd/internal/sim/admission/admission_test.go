package admission_test

import (
	"encoding/json"
	"os"
	"testing"

	"campusgate/cmd/internal/sim/admission"
)

func shm() string {
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() {
		return "/dev/shm"
	}
	return ""
}

func TestRun_CalmAdmitsEverybodyOnce(t *testing.T) {
	r, err := admission.Run{Seed: 1, Calm: true, Dir: shm()}.Run()
	if err != nil {
		t.Fatal(err)
	}
	line, _ := json.Marshal(r)
	t.Logf("%s", line)
	for _, f := range r.Failures {
		t.Error(f)
	}
}
