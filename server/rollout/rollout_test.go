package rollout_test

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"campusgate/server/rollout"
	"campusgate/server/store"
	"campusgate/server/store/storetest"
	"campusgate/signing/release"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

func TestMain(m *testing.M) { storetest.Main(m) }

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// world is a site with three gates.
type world struct {
	*rollout.Service
	dir  string
	db   *store.Store
	root ed25519.PrivateKey
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{dir: t.TempDir()}
	w.db, w.root = storetest.Found(t, w.dir, store.Options{Now: func() time.Time { return time.UnixMilli(1_790_000_000_000) }})
	t.Cleanup(func() { ok(t, w.db.Close()) })
	for _, name := range []string{"东门", "西门", "北门"} {
		_, err := w.db.AddGate(t.Context(), "test", store.Gate{Name: name, Zone: 1, Mode: verdict.Owner})
		ok(t, err)
	}
	w.open(t)
	return w
}

// open is a start of the server.
func (w *world) open(t testing.TB) {
	t.Helper()
	var err error
	w.Service, err = rollout.New(t.Context(), rollout.Config{
		Store: w.db, Root: w.root.Public().(ed25519.PublicKey), Site: w.db.Site().Name, Folder: filepath.Join(w.dir, "releases"),
		Log: slog.New(slog.DiscardHandler),
	})
	ok(t, err)
}

func (w *world) sign(t testing.TB, key ed25519.PrivateKey, m release.Manifest) []byte {
	t.Helper()
	signed, err := release.Sign(key, m)
	ok(t, err)
	return signed
}

// make makes a release of this site, which is not handed in.
func (w *world) make(version string, serial uint64) (release.Manifest, []byte) {
	program := bytes.Repeat([]byte("program "+version+"\n"), 3000)
	return release.Manifest{Site: w.db.Site().Name, Version: version, OS: "linux", Arch: "amd64", Serial: serial}.Of(program), program
}

// add hands one in.
func (w *world) add(t testing.TB, version string, serial uint64) (rollout.Release, []byte) {
	t.Helper()
	m, program := w.make(version, serial)
	r, err := w.Take(t.Context(), "token 1", w.sign(t, w.root, m), bytes.NewReader(program))
	ok(t, err)
	return r, program
}

func (w *world) set(t testing.TB, r rollout.Release, p rollout.Plan) {
	t.Helper()
	_, err := w.Set(t.Context(), "token 1", r.SHA256, p)
	ok(t, err)
}

// files are the names in the folder of programs.
func (w *world) files(t testing.TB) (names []string) {
	t.Helper()
	list, err := os.ReadDir(filepath.Join(w.dir, "releases"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	for _, e := range list {
		names = append(names, e.Name())
	}
	return names
}

// offers is what each of the three gates is offered.
func (w *world) offers() (list []string) {
	for gate := range uint16(3) {
		r, _ := w.Offer(gate+1, "linux", "amd64")
		list = append(list, r.Version)
	}
	return list
}

func TestTake_IsOfferedToNobodyUntilSomebodySaysSo(t *testing.T) {
	w := newWorld(t)
	seven, program := w.add(t, "1.7", 7)
	if seven.Reach != rollout.Nobody || seven.AddedBy != "token 1" || seven.AddedAt == 0 || seven.Missing {
		t.Fatalf("%+v", seven)
	}
	want := func(what string, versions ...string) {
		t.Helper()
		if got := w.offers(); !slices.Equal(got, versions) {
			t.Errorf("%s: %q, want %q", what, got, versions)
		}
	}
	want("handed in", "", "", "")
	w.set(t, seven, rollout.Plan{Reach: rollout.All})
	eight, _ := w.add(t, "1.8", 8)
	w.set(t, eight, rollout.Plan{Reach: rollout.Chosen, Gates: []uint16{2, 3, 2}})
	want("some first", "1.7", "1.8", "1.8")
	w.open(t)
	want("after a restart", "1.7", "1.8", "1.8")
	w.set(t, eight, rollout.Plan{Reach: rollout.Chosen, Gates: []uint16{2, 3}, Paused: true})
	want("paused", "1.7", "1.7", "1.7")
	w.set(t, eight, rollout.Plan{Reach: rollout.All})
	want("all", "1.8", "1.8", "1.8")
	for _, system := range [][2]string{{"windows", "amd64"}, {"linux", "arm64"}, {"", ""}} {
		if got := w.Offered(1, system[0], system[1]); got != "" {
			t.Errorf("%v is offered %s", system, got)
		}
	}

	var got []byte
	for {
		p := w.Part(t.Context(), 1, wire.Fetch{Release: seven.SHA256, Offset: int64(len(got))})
		ok(t, p.Check())
		if len(p.Data) == 0 {
			break
		}
		if (len(p.Signed) > 0) != (len(got) == 0) {
			t.Fatalf("manifest of %d bytes at %d", len(p.Signed), len(got))
		}
		got = append(got, p.Data...)
	}
	if !bytes.Equal(got, program) {
		t.Errorf("%d bytes in parts, want %d", len(got), len(program))
	}
	w.set(t, seven, rollout.Plan{Reach: rollout.Chosen, Gates: []uint16{3}})
	for name, p := range map[string]wire.Part{
		"a gate it does not reach": w.Part(t.Context(), 1, wire.Fetch{Release: seven.SHA256}),
		"no release":               w.Part(t.Context(), 3, wire.Fetch{Release: strings.Repeat("0", 64)}),
		"behind the end":           w.Part(t.Context(), 3, wire.Fetch{Release: seven.SHA256, Offset: 1 << 40}),
	} {
		if len(p.Data)+len(p.Signed) > 0 {
			t.Errorf("%s: %d bytes", name, len(p.Data))
		}
	}
}

// Whoever has the server, or an administrator's login, has no root key.
func TestAttack_OnlyReleasesOfTheSiteRootAreTaken(t *testing.T) {
	w := newWorld(t)
	w.add(t, "1.7", 7)
	before := w.files(t)
	m, program := w.make("1.8", 8)
	other := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{9}, ed25519.SeedSize))
	elsewhere := m
	elsewhere.Site = "other"
	same := m
	same.Serial = 7
	signed := w.sign(t, w.root, m)
	unread := func() io.Reader { return iotestErr{} }
	for name, c := range map[string]struct {
		signed  []byte
		program io.Reader
		want    error
	}{
		"signed by another key":     {w.sign(t, other, m), unread(), release.ErrSignature},
		"not signed":                {[]byte("{}"), unread(), release.ErrManifest},
		"nothing":                   {nil, unread(), release.ErrManifest},
		"a bit of the manifest":     {append(bytes.Clone(signed[:len(signed)-3]), 'x', '\n', '}'), unread(), release.ErrSignature},
		"another site":              {w.sign(t, w.root, elsewhere), unread(), rollout.ErrRelease},
		"another program's serial":  {w.sign(t, w.root, same), unread(), rollout.ErrSerial},
		"another program":           {signed, bytes.NewReader(append(bytes.Clone(program[:len(program)-1]), 'x')), release.ErrProgram},
		"half of it":                {signed, bytes.NewReader(program[:len(program)/2]), release.ErrProgram},
		"no end":                    {signed, io.MultiReader(bytes.NewReader(program), endless{}), release.ErrProgram},
		"a line that breaks midway": {signed, io.MultiReader(bytes.NewReader(program[:99]), iotestErr{}), errBroken},
	} {
		if _, err := w.Take(t.Context(), "token 1", c.signed, c.program); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		if got := w.files(t); !slices.Equal(got, before) || len(w.List()) != 1 {
			t.Fatalf("%s: left %v", name, got)
		}
	}
}

var errBroken = errors.New("the line broke")

type iotestErr struct{}

func (iotestErr) Read([]byte) (int, error) { return 0, errBroken }

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func TestTake_AgainBringsBackWhatWasLost(t *testing.T) {
	w := newWorld(t)
	r, program := w.add(t, "1.7", 7)
	w.set(t, r, rollout.Plan{Reach: rollout.All})
	ok(t, os.Remove(filepath.Join(w.dir, "releases", r.SHA256))) // as after a restore
	ok(t, os.WriteFile(filepath.Join(w.dir, "releases", ".draft-17"), program[:9], 0o600))
	w.open(t)
	if l := w.List(); len(l) != 1 || !l[0].Missing || len(w.files(t)) != 0 || w.Offered(1, "linux", "amd64") != "" {
		t.Fatalf("%+v, %v", l, w.files(t))
	}
	if p := w.Part(t.Context(), 1, wire.Fetch{Release: r.SHA256}); len(p.Data) > 0 {
		t.Error("a part of what is not there")
	}
	if _, err := w.Set(t.Context(), "token 1", r.SHA256, rollout.Plan{Reach: rollout.All}); !errors.Is(err, rollout.ErrMissing) {
		t.Errorf("offered: %v", err)
	}
	again, _ := w.add(t, "1.7", 7)
	if again.Missing || again.Reach != rollout.All || w.Offered(1, "linux", "amd64") != r.SHA256 {
		t.Errorf("%+v", again)
	}
}

func TestSet_RefusesWhatMakesNoSense(t *testing.T) {
	w := newWorld(t)
	r, _ := w.add(t, "1.7", 7)
	for name, c := range map[string]struct {
		sha  string
		plan rollout.Plan
		want error
	}{
		"no release":     {strings.Repeat("0", 64), rollout.Plan{Reach: rollout.All}, store.ErrNotFound},
		"no gate":        {r.SHA256, rollout.Plan{Reach: rollout.Chosen}, rollout.ErrReach},
		"a gate of none": {r.SHA256, rollout.Plan{Reach: rollout.Chosen, Gates: []uint16{1, 99}}, rollout.ErrReach},
	} {
		if _, err := w.Set(t.Context(), "token 1", c.sha, c.plan); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	w.set(t, r, rollout.Plan{Reach: rollout.Chosen, Gates: []uint16{1}, Paused: true})
	if err := w.Remove(t.Context(), "token 1", r.SHA256); !errors.Is(err, rollout.ErrOffered) {
		t.Errorf("removed while it is offered: %v", err)
	}
	w.set(t, r, rollout.Plan{Reach: rollout.Nobody})
	ok(t, w.Remove(t.Context(), "token 1", r.SHA256))
	if err := w.Remove(t.Context(), "token 1", r.SHA256); !errors.Is(err, store.ErrNotFound) || len(w.List())+len(w.files(t)) != 0 {
		t.Errorf("%v, %v, %v", err, w.List(), w.files(t))
	}
	trail, err := w.db.TrailBefore(t.Context(), 0, 4)
	ok(t, err)
	var done []string
	for _, e := range trail {
		done = append(done, e.Action)
	}
	if want := []string{"release.removed", "release.rollout", "release.rollout", "release.added"}; !slices.Equal(done, want) {
		t.Errorf("the trail has %v, want %v", done, want)
	}
}
