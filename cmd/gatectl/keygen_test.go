package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"campusgate/signing"
)

// runIn runs a command in this process, in a folder of its own.
func runIn(t *testing.T, env Env, args ...string) (exit int, stdout, stderr string) {
	t.Helper()
	var out, said strings.Builder
	if env.Stdout == nil {
		env.Stdout = &out
	}
	env.Stderr = &said
	env.Now = func() time.Time { return noon }
	exit = dispatch(t.Context(), env, args)
	return exit, out.String(), said.String()
}

func TestKeygen_WithoutRandomnessMakesNothing(t *testing.T) {
	t.Chdir(t.TempDir())
	dry := errors.New("no entropy")
	for _, purpose := range []string{"gate", "phone"} {
		args := []string{"keygen", "-purpose", purpose, "-out", "x.key"}
		if purpose == "gate" {
			args = append(args, "-keyring", "ring.json")
		}
		exit, out, said := runIn(t, Env{Rand: iotest.ErrReader(dry)}, args...)
		if exit != exitFailed || out != "" || !strings.Contains(said, dry.Error()) {
			t.Errorf("%s: exit %d, %q, %q", purpose, exit, out, said)
		}
	}
	wantFiles(t)
}

func TestKeygen_APhoneKeyOutOfRangeIsDrawnAgain(t *testing.T) {
	high, zero := strings.Repeat("\xff", 32), strings.Repeat("\x00", 32)
	good := strings.Repeat("\x00", 31) + "\x01"
	key, err := newPhoneKey(strings.NewReader(high + zero + good))
	if err != nil {
		t.Fatal(err)
	}
	if number, err := key.Bytes(); err != nil || string(number) != good {
		t.Errorf("drew %x, %v", number, err)
	}
	if _, err := newPhoneKey(strings.NewReader(strings.Repeat(zero, 9))); err == nil {
		t.Error("a source of nothing but zeros gave a key")
	}
}

func TestKeygen_OutputLostAfterTheKeyWasMadeIsAFailure(t *testing.T) {
	t.Chdir(t.TempDir())
	exit, _, said := runIn(t, Env{Rand: seeded("a"), Stdout: full{errors.New("disk full")}},
		"keygen", "-purpose", "gate", "-out", "gate.key", "-keyring", "ring.json")
	if exit != exitFailed || !strings.Contains(said, "disk full") {
		t.Errorf("exit %d, %q", exit, said)
	}
	ring, err := loadRing("ring.json")
	if err != nil || len(ring.Keys) != 1 {
		t.Errorf("keyring: %v, %v", ring, err)
	}
	wantFiles(t, "gate.key", "ring.json")
}

func TestRingEdit_NothingChangesWithoutACommit(t *testing.T) {
	t.Chdir(t.TempDir())
	ring, iss := testIssuer(t)
	if err := os.WriteFile("ring.json", ring.Marshal(), 0o600); err != nil {
		t.Fatal(err)
	}
	edit, err := openRing("ring.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := edit.append(iss.Key); !errors.Is(err, signing.ErrKeyExists) {
		t.Errorf("append the same key = %v, want %v", err, signing.ErrKeyExists)
	}
	if _, err := openRing("ring.json"); !errors.Is(err, os.ErrExist) {
		t.Errorf("second edit = %v, want %v", err, os.ErrExist)
	}
	if err := edit.close(); err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile("ring.json"); err != nil || string(data) != string(ring.Marshal()) {
		t.Errorf("keyring changed: %s, %v", data, err)
	}
	wantFiles(t, "ring.json")
}

func TestRingEdit_ACommitThatFailsLeavesNoTrace(t *testing.T) {
	t.Chdir(t.TempDir())
	ring, _ := testIssuer(t)
	if err := os.WriteFile("ring.json", ring.Marshal(), 0o600); err != nil {
		t.Fatal(err)
	}
	edit, err := openRing("ring.json")
	if err != nil {
		t.Fatal(err)
	}
	public, _, err := newIssuerKey(seeded("b"))
	if err != nil {
		t.Fatal(err)
	}
	key, err := signing.NewKey("campus", signing.PurposePay, public)
	if err != nil {
		t.Fatal(err)
	}
	if err := edit.append(key); err != nil {
		t.Fatal(err)
	}
	// No file can be put in the place of a folder.
	if err := errors.Join(os.Remove("ring.json"), os.Mkdir("ring.json", 0o700)); err != nil {
		t.Fatal(err)
	}
	if err := edit.commit(); err == nil {
		t.Error("commit over a folder succeeded")
	}
	if err := edit.close(); err != nil {
		t.Errorf("close after a failed commit: %v", err)
	}
	wantFiles(t, "ring.json")
}

// wantFiles demands that the current folder holds just these names.
func wantFiles(t *testing.T, want ...string) {
	t.Helper()
	got, err := filepath.Glob("*")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("files %q, want %q", got, want)
	}
}
