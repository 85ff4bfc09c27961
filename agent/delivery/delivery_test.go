package delivery_test

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"campusgate/agent/delivery"
	"campusgate/agent/link"
	"campusgate/agent/update"
	"campusgate/signing/release"
	"campusgate/signing/wire"
)

var root = ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// parcel is a release as a server has it.
type parcel struct {
	release.Manifest
	signed, program []byte
}

func newParcel(t testing.TB, version string, serial uint64, change ...func(*release.Manifest)) parcel {
	t.Helper()
	return signedBy(t, root, version, serial, change...)
}

func signedBy(t testing.TB, key ed25519.PrivateKey, version string, serial uint64, change ...func(*release.Manifest)) parcel {
	t.Helper()
	p := parcel{program: make([]byte, 5*wire.MaxPart+17)}
	for i, r := 0, rand.New(rand.NewPCG(serial, uint64(len(version)))); i < len(p.program); i++ {
		p.program[i] = byte(r.Uint32())
	}
	p.Manifest = release.Manifest{Site: "campus", Version: version, OS: "linux", Arch: "amd64", Serial: serial}.Of(p.program)
	for _, c := range change {
		c(&p.Manifest)
	}
	var err error
	p.signed, err = release.Sign(key, p.Manifest)
	check(t, err)
	return p
}

// sent is a parcel on its way to another process.
type sent struct{ Signed, Program []byte }

// opened is a parcel again that was sent.
func opened(s sent) parcel {
	m, _ := release.Open(root.Public().(ed25519.PublicKey), s.Signed)
	return parcel{m, s.Signed, s.Program}
}

// part is an honest server's answer.
func (p parcel) part(f wire.Fetch) wire.Part {
	a := wire.Part{Release: f.Release, Offset: f.Offset}
	if f.Release != p.SHA256 || f.Offset >= int64(len(p.program)) {
		return a
	}
	if a.Data = p.program[f.Offset:min(f.Offset+wire.MaxPart, int64(len(p.program)))]; f.Offset == 0 {
		a.Signed = p.signed
	}
	return a
}

// pc is a gate PC, whose version is 1.0, and the server that it sees.
type pc struct {
	t       testing.TB
	dir     string
	serves  func(wire.Fetch) (wire.Part, error)
	calm    bool
	room    error
	fit     error
	tests   int
	fetched []int64
	pause   time.Duration // 0 = the usual
	step    func(string)  // of the book
}

func newPC(t testing.TB) *pc {
	p := &pc{t: t, dir: t.TempDir(), calm: true}
	check(t, os.WriteFile(filepath.Join(p.dir, "installed"), []byte("the installed program"), 0o700))
	return p
}

func (p *pc) book() update.Book {
	return update.Book{Dir: filepath.Join(p.dir, "update"), Now: time.Now, Step: p.step}
}

func (p *pc) state() update.State {
	p.t.Helper()
	s, err := p.book().Load()
	check(p.t, err)
	return s
}

// start is a start of the agent.
func (p *pc) start() *delivery.Courier {
	return delivery.New(delivery.Config{
		Book: p.book(), Dir: filepath.Join(p.dir, "delivery"),
		Here: update.Here{
			Root: root.Public().(ed25519.PublicKey), Site: "campus", OS: "linux", Arch: "amd64",
			Installed: filepath.Join(p.dir, "installed"), Delivered: true, Running: "1.0",
			Test: func(context.Context, string, release.Manifest) error {
				p.tests++
				return p.fit
			},
		},
		Fetch: func(_ context.Context, f wire.Fetch) (wire.Part, error) {
			p.fetched = append(p.fetched, f.Offset)
			return p.serves(f)
		},
		Calm: func() bool { return p.calm }, Room: func(int64) error { return p.room },
		Now: time.Now, Log: slog.New(slog.DiscardHandler), Pause: p.pause,
	})
}

func (p *pc) honest(of parcel) {
	p.serves = func(f wire.Fetch) (wire.Part, error) { return of.part(f), nil }
}

// live runs a courier that is offered a release for a time, which is fake.
func (p *pc) live(c *delivery.Courier, offer string, d time.Duration) wire.Program {
	ctx, stop := context.WithCancel(p.t.Context())
	done := make(chan struct{})
	c.Offer(offer)
	go func() {
		defer close(done)
		_ = c.Run(ctx) // why ctx ended
	}()
	past, cancel := context.WithTimeout(p.t.Context(), d)
	defer cancel()
	<-past.Done()
	synctest.Wait()
	h := *c.Health()
	stop()
	<-done
	return h
}

// bytesHere are those of programs, on their way or staged.
func (p *pc) bytesHere() (n int64) {
	p.t.Helper()
	for _, dir := range []string{"delivery", "update"} {
		err := filepath.Walk(filepath.Join(p.dir, dir), func(path string, info os.FileInfo, err error) error {
			if err == nil && info.Mode().IsRegular() && info.Name() != release.ManifestFile && info.Name() != "state.json" {
				n += info.Size()
			}
			return nil
		})
		check(p.t, err)
	}
	return n
}

func TestCourier_BringsAndStagesInAQuietMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, of := newPC(t), newParcel(t, "1.1", 7)
		p.honest(of)
		p.calm = false
		c := p.start()
		if h := p.live(c, of.SHA256, 500*time.Millisecond); h.State != wire.ProgramDownloading || h.Percent == 0 || h.Percent > 99 || h.Version != "1.0" {
			t.Fatalf("half a second, with 200 ms a part: %+v", h)
		}
		if h := p.live(c, of.SHA256, time.Hour); h.State != wire.ProgramWaiting || p.tests != 0 || p.state().Trial != nil {
			t.Fatalf("while people pass: %+v", h)
		}
		p.calm = true
		h := p.live(c, of.SHA256, time.Minute)
		s := p.state()
		if h.State != wire.ProgramStaged || s.Trial == nil || *s.Trial != of.Manifest || !s.Delivered || s.Serial != 7 || p.tests != 1 {
			t.Fatalf("%+v %+v", h, s)
		}
		if got, err := os.ReadFile(p.book().Path(*s.Trial)); err != nil || string(got) != string(of.program) {
			t.Fatalf("%d bytes staged, %v", len(got), err)
		}
		if left, _ := os.ReadDir(filepath.Join(p.dir, "delivery")); len(left) > 0 {
			t.Errorf("left on its way: %v", left)
		}
		if slices.Sort(p.fetched); len(slices.Compact(slices.Clone(p.fetched))) != len(p.fetched) {
			t.Errorf("fetched twice: %v", p.fetched)
		}
	})
}

func TestCourier_BrokenDownloadGoesOnWhereItWas(t *testing.T) {
	for name, err := range map[string]error{"the line is cut": link.ErrOffline, "the answer is lost": link.ErrNoPart} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, of := newPC(t), newParcel(t, "1.1", 7)
				var answered []int64
				p.serves = func(f wire.Fetch) (wire.Part, error) {
					if len(p.fetched)%2 == 0 {
						return wire.Part{}, err // it may have been sent, and never came
					}
					answered = append(answered, f.Offset)
					return of.part(f), nil
				}
				for range 8 { // restarts of the PC
					p.live(p.start(), of.SHA256, time.Minute)
				}
				if s := p.state(); s.Trial == nil || *s.Trial != of.Manifest {
					t.Fatalf("%+v after %v", s, p.fetched)
				}
				if len(answered) != 6 || !slices.IsSorted(answered) {
					t.Errorf("parts that came: %v", answered)
				}
			})
		})
	}
}

func TestCourier_PausedOrWithdrawnStopsAtOnceAndGoesOnLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, of := newPC(t), newParcel(t, "1.1", 7)
		p.honest(of)
		c := p.start()
		p.live(c, of.SHA256, 500*time.Millisecond)
		before := len(p.fetched)
		if h := p.live(c, "", time.Hour); h.State != wire.ProgramCurrent || len(p.fetched) != before || p.state().Trial != nil {
			t.Fatalf("not offered: %+v, %v", h, p.fetched)
		}
		if h := p.live(c, of.SHA256, time.Minute); h.State != wire.ProgramStaged || len(p.fetched) != 6 {
			t.Fatalf("offered again: %+v, %v", h, p.fetched)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		p, of := newPC(t), newParcel(t, "1.1", 7)
		p.honest(of)
		p.calm = false
		c := p.start()
		p.live(c, of.SHA256, time.Minute)
		p.calm = true
		if p.live(c, "", time.Hour); p.state().Trial != nil {
			t.Error("staged although it is not offered any more")
		}
	})
}

func TestCourier_WrongBytesAreNeverStaged(t *testing.T) {
	for name, spoil := range map[string]func(parcel, wire.Fetch) wire.Part{
		"a flipped bit": func(of parcel, f wire.Fetch) wire.Part {
			a := of.part(f)
			a.Data = slices.Clone(a.Data)
			a.Data[0] ^= 1
			return a
		},
		"too much": func(of parcel, f wire.Fetch) wire.Part {
			a := of.part(f)
			a.Data = append(slices.Clone(a.Data), 1)
			return a
		},
		"parts of another order": func(of parcel, f wire.Fetch) wire.Part {
			at := f.Offset
			f.Offset = (f.Offset + wire.MaxPart) % (4 * wire.MaxPart)
			a := of.part(f)
			if at == 0 {
				a.Signed = of.signed
			}
			return a
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, of := newPC(t), newParcel(t, "1.1", 7)
				p.serves = func(f wire.Fetch) (wire.Part, error) { return spoil(of, f), nil }
				c := p.start()
				h := p.live(c, of.SHA256, 30*time.Second)
				if h.State != wire.ProgramFailing || h.Why == "" || p.tests != 0 || p.state().Trial != nil || p.bytesHere() != 0 {
					t.Fatalf("%+v, %d self-tests, %d bytes", h, p.tests, p.bytesHere())
				}
				once := len(p.fetched)
				if p.live(c, of.SHA256, 6*time.Hour); len(p.fetched) > 14*once {
					t.Errorf("asked %d times in six hours, %d make a download", len(p.fetched), once)
				}
				p.honest(of)
				if h := p.live(c, of.SHA256, 2*time.Hour); h.State != wire.ProgramStaged {
					t.Errorf("from an honest server: %+v", h)
				}
			})
		})
	}
}

// A server that turned bad has no root key. Whatever it offers, not one byte of a
// program is kept.
func TestAttack_RogueServer_ForgedReleasesAreRefused(t *testing.T) {
	own := ed25519.NewKeyFromSeed([]byte(strings.Repeat("s", ed25519.SeedSize)))
	good := newParcel(t, "1.1", 7)
	bare := good
	bare.signed = nil
	swapped := signedBy(t, own, "1.1", 8)
	swapped.signed = good.signed
	raised := good
	raised.signed = []byte(strings.Replace(string(good.signed), `"serial": 7`, `"serial": 9`, 1))
	for name, of := range map[string]parcel{
		"signed by a key of its own":    signedBy(t, own, "1.1", 8),
		"not signed":                    bare,
		"a true manifest, another hash": swapped,
		"an edited manifest":            raised,
		"of another site":               newParcel(t, "1.1", 7, func(m *release.Manifest) { m.Site = "other" }),
		"for another system":            newParcel(t, "1.1", 7, func(m *release.Manifest) { m.OS = "windows" }),
		"for another processor":         newParcel(t, "1.1", 7, func(m *release.Manifest) { m.Arch = "arm64" }),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPC(t)
				p.honest(of)
				h := p.live(p.start(), of.SHA256, 5*time.Hour)
				if h.State != wire.ProgramRefused && h.State != wire.ProgramFailing || h.Why == "" {
					t.Errorf("%+v", h)
				}
				if s := p.state(); p.tests != 0 || s.Trial != nil || s.Serial != 0 || p.bytesHere() != 0 {
					t.Errorf("%d self-tests, %+v, %d bytes", p.tests, s, p.bytesHere())
				}
				if slices.Max(p.fetched) != 0 || len(p.fetched) > 12 {
					t.Errorf("asked for %v", p.fetched)
				}
			})
		})
	}
}

// What was genuine once is offered again: what is older than anything that was
// here, what was taken back, and what is older than the installed program.
func TestAttack_OldReleaseOfferedAgain_IsRefused(t *testing.T) {
	before := map[string]struct {
		state   update.State
		offered parcel
		want    wire.ProgramState
	}{
		"a lower serial":                         {update.State{Serial: 8}, newParcel(t, "1.1", 7), wire.ProgramRefused},
		"the serial of another that was here":    {update.State{Serial: 7}, newParcel(t, "1.2", 7), wire.ProgramRefused},
		"below the installed version":            {update.State{}, newParcel(t, "0.9", 7), wire.ProgramRefused},
		"the installed version, under a serial":  {update.State{}, newParcel(t, "1.0", 7), wire.ProgramCurrent},
		"one that was taken back by itself":      {taken(newParcel(t, "1.1", 7), update.RolledBack), newParcel(t, "1.1", 7), wire.ProgramTakenBack},
		"one that was taken back by hand":        {taken(newParcel(t, "1.1", 7), update.TakenBack), newParcel(t, "1.1", 7), wire.ProgramTakenBack},
		"one taken back before another was kept": {taken(newParcel(t, "1.2", 8), update.Confirmed), newParcel(t, "1.1", 7), wire.ProgramRefused},
	}
	for name, c := range before {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPC(t)
				p.honest(c.offered)
				p.keep(c.state)
				for range 3 {
					if h := p.live(p.start(), c.offered.SHA256, 90*time.Minute); h.State != c.want || (h.Why == "") != (c.want == wire.ProgramCurrent) {
						t.Fatalf("%+v", h)
					}
				}
				if s := p.state(); p.tests != 0 || s.Trial != nil || p.bytesHere() != 0 {
					t.Errorf("%d self-tests, %+v, %d bytes", p.tests, s, p.bytesHere())
				}
			})
		})
	}
}

func taken(of parcel, how update.Outcome) update.State {
	return update.State{Serial: of.Serial, Last: &update.Result{Version: of.Version, SHA256: of.SHA256, Outcome: how, Why: "it crashed", At: 1}}
}

func TestCourier_FullDiskLeavesNothingBehind(t *testing.T) {
	t.Run("seen before", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p, of := newPC(t), newParcel(t, "1.1", 7)
			p.honest(of)
			p.room = fmt.Errorf("%w: 10 MB free", delivery.ErrRoom)
			c := p.start()
			h := p.live(c, of.SHA256, time.Hour)
			if h.State != wire.ProgramFailing || !strings.Contains(h.Why, "10 MB free") || p.bytesHere() != 0 {
				t.Fatalf("%+v, %d bytes", h, p.bytesHere())
			}
			p.room = nil
			if h := p.live(c, of.SHA256, 2*time.Hour); h.State != wire.ProgramStaged {
				t.Errorf("with room: %+v", h)
			}
		})
	})
	t.Run("in the midst of it", func(t *testing.T) {
		if _, err := os.Stat("/dev/full"); err != nil {
			t.Skip("no /dev/full here")
		}
		synctest.Test(t, func(t *testing.T) {
			p, of := newPC(t), newParcel(t, "1.1", 7)
			part := filepath.Join(p.dir, "delivery", "part")
			p.serves = func(f wire.Fetch) (wire.Part, error) {
				if len(p.fetched) == 2 {
					check(t, os.Remove(part))
					check(t, os.Symlink("/dev/full", part))
				}
				return of.part(f), nil
			}
			c := p.start()
			h := p.live(c, of.SHA256, 30*time.Second)
			if _, err := os.Lstat(part); h.State != wire.ProgramFailing || !errors.Is(err, os.ErrNotExist) || p.bytesHere() != 0 {
				t.Fatalf("%+v, %v, %d bytes", h, err, p.bytesHere())
			}
			if h := p.live(c, of.SHA256, time.Hour); h.State != wire.ProgramStaged {
				t.Errorf("with room: %+v", h)
			}
		})
	})
}

func TestCourier_FailedSelfTestIsSaidAndNotRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, of := newPC(t), newParcel(t, "1.1", 7)
		p.honest(of)
		p.fit = errors.New("the keyring cannot be read")
		for range 3 {
			h := p.live(p.start(), of.SHA256, 90*time.Minute)
			if h.State != wire.ProgramUnfit || !strings.Contains(h.Why, "the keyring cannot be read") || p.tests != 1 {
				t.Fatalf("%+v, %d self-tests", h, p.tests)
			}
		}
		if s := p.state(); s.Trial != nil || s.Serial != 0 || p.bytesHere() != 0 {
			t.Fatalf("%+v, %d bytes", s, p.bytesHere())
		}
		p.fit = nil
		next := newParcel(t, "1.2", 8)
		p.honest(next)
		if h := p.live(p.start(), next.SHA256, time.Hour); h.State != wire.ProgramStaged || p.state().Unfit != nil {
			t.Errorf("the next one: %+v", h)
		}
	})
}

func TestCourier_SaysWhatTheBookSays(t *testing.T) {
	of := newParcel(t, "1.1", 7)
	m := of.Manifest
	for want, s := range map[wire.ProgramState]update.State{
		wire.ProgramStaged:  {Serial: 7, Trial: &m, Installed: "x"},
		wire.ProgramTrying:  {Serial: 7, Trial: &m, Tried: true, Installed: "x"},
		wire.ProgramCurrent: {Serial: 7, Current: &m, Installed: "x"},
	} {
		synctest.Test(t, func(t *testing.T) {
			p := newPC(t)
			p.serves = func(wire.Fetch) (wire.Part, error) { panic("asked") }
			p.keep(s)
			if h := p.live(p.start(), of.SHA256, time.Hour); h.State != want {
				t.Errorf("%+v, want %s", h, want)
			}
		})
	}
}

// keep writes a state as it would be after earlier updates.
func (p *pc) keep(s update.State) {
	p.t.Helper()
	if s == (update.State{}) {
		return
	}
	dir := filepath.Join(p.dir, "update")
	check(p.t, os.MkdirAll(dir, 0o700))
	text := fmt.Sprintf(`{"serial": %d, "installed": %q`, s.Serial, s.Installed)
	for name, v := range map[string]any{"current": s.Current, "trial": s.Trial, "last": s.Last} {
		if raw := asJSON(p.t, v); raw != "null" {
			text += fmt.Sprintf(", %q: %s", name, raw)
		}
	}
	if s.Tried {
		text += `, "tried": true`
	}
	check(p.t, os.WriteFile(filepath.Join(dir, "state.json"), []byte(text+"}"), 0o600))
}

func asJSON(t testing.TB, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	check(t, err)
	return string(raw)
}
