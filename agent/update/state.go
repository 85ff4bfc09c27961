package update

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"campusgate/signing/release"
)

// Outcome is what became of an update.
type Outcome string

// The outcomes.
const (
	Confirmed  Outcome = "confirmed"
	RolledBack Outcome = "rolled_back" // by itself
	TakenBack  Outcome = "taken_back"  // by hand
	Replaced   Outcome = "replaced"    // the installed program is another one
	Unfit      Outcome = "unfit"       // it failed its self-test
)

// Result is the last thing that happened. At is unix milliseconds.
type Result struct {
	Version string  `json:"version"`
	SHA256  string  `json:"sha256,omitempty"` // "" = the installed one
	Outcome Outcome `json:"outcome"`
	Why     string  `json:"why,omitempty"`
	At      int64   `json:"at"`
}

// State is what update/state.json holds. Of the programs nil means the installed
// one, or for Trial that there is none.
type State struct {
	// Serial is the highest that was ever staged.
	Serial uint64 `json:"serial"`
	// Installed is the hash of the installed program for which the rest holds.
	Installed string            `json:"installed"`
	Current   *release.Manifest `json:"current,omitempty"`
	Previous  *release.Manifest `json:"previous,omitempty"`
	Trial     *release.Manifest `json:"trial,omitempty"`
	// Tried: the trial was started once; it has no second chance.
	Tried bool `json:"tried,omitempty"`
	// Delivered: the server brought the trial, and nobody is there.
	Delivered bool    `json:"delivered,omitempty"`
	Last      *Result `json:"last,omitempty"`
	// Unfit is the last program that failed its self-test.
	Unfit *Result `json:"unfit,omitempty"`
}

const (
	stateFile = "state.json"
	program   = "gateagent.exe" // everywhere: Windows wants the ending
)

// Book is the folder of updates in an agent's data folder.
type Book struct {
	Dir string // may not be there yet
	Now func() time.Time
	// Step is told of each step before it is done; a test ends the process there.
	Step func(what string)
}

func (b Book) step(what string) {
	if b.Step != nil {
		b.Step(what)
	}
}

// Load reads the state; an empty one where nothing was ever staged.
func (b Book) Load() (s State, err error) {
	data, err := os.ReadFile(filepath.Join(b.Dir, stateFile))
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err == nil {
		d := json.NewDecoder(bytes.NewReader(data))
		d.DisallowUnknownFields()
		err = d.Decode(&s)
	}
	if err != nil {
		return State{}, fmt.Errorf("state of updates: %w", err)
	}
	return s, nil
}

func (b Book) save(s State) error {
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	return b.write(stateFile, append(data, '\n'), 0o600)
}

// write puts a file in place whole, and on the disk.
func (b Book) write(name string, data []byte, mode fs.FileMode) error {
	path := filepath.Join(b.Dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	b.step("draft " + name)
	f, err := os.CreateTemp(filepath.Dir(path), ".draft-*")
	if err != nil {
		return err
	}
	half := len(data) / 2
	_, err = f.Write(data[:half])
	if err == nil {
		b.step("half of " + name)
		_, err = f.Write(data[half:])
	}
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err == nil {
		b.step("rename " + name)
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	b.step("flush " + name)
	return syncFolder(filepath.Dir(path))
}

// Path is where a program lies.
func (b Book) Path(m release.Manifest) string { return filepath.Join(b.Dir, m.SHA256, program) }

// sum is the hash of a file.
func sum(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }() // it was only read
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// whole says whether a program is there as it was signed.
func (b Book) whole(m *release.Manifest) error {
	is, err := sum(b.Path(*m))
	if err == nil && is != m.SHA256 {
		err = release.ErrProgram
	}
	return err
}

// tidy removes what the state does not name. What cannot be removed is in
// nobody's way.
func (b Book) tidy(s State) {
	keep := map[string]bool{stateFile: true}
	for _, m := range []*release.Manifest{s.Current, s.Previous, s.Trial} {
		if m != nil {
			keep[m.SHA256] = true
		}
	}
	list, err := os.ReadDir(b.Dir)
	if err != nil {
		return
	}
	for _, e := range list {
		if !keep[e.Name()] {
			_ = os.RemoveAll(filepath.Join(b.Dir, e.Name()))
		}
	}
}

func (b Book) result(m *release.Manifest, o Outcome, why string) *Result {
	r := &Result{Version: Name(m), Outcome: o, Why: why, At: b.Now().UnixMilli()}
	if m != nil {
		r.SHA256 = m.SHA256
	}
	return r
}

// Name is the version of a program for people.
func Name(m *release.Manifest) string {
	if m == nil {
		return "已安装的 installed"
	}
	return m.Version
}
