package server_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"campusgate/server"
	"campusgate/server/store"
)

// settings are of a site in a folder, with what else the file is to say.
func settings(t *testing.T, data string, more ...string) server.Settings {
	t.Helper()
	text := fmt.Sprintf("listen: 127.0.0.1:0\ncode_host: gate.example.edu\nsite: 云岭大学\ndata: %s\n%s", data, strings.Join(more, "\n"))
	s, err := server.ParseConfig("server.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func found(t *testing.T, s server.Settings) (f server.Founded) {
	t.Helper()
	err := server.Init(t.Context(), s, time.Now, rand.Reader, func(made server.Founded) error {
		f = made
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// tree is every file and folder at or under dir with its content and mode.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			all[path] = fmt.Sprint(d)
			return err
		}
		data, err := os.ReadFile(path)
		all[path] = fmt.Sprintf("%v %x", d.Type(), data)
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return all
}

func unchanged(t *testing.T, before, after map[string]string) {
	t.Helper()
	for path, what := range before {
		if after[path] != what {
			t.Errorf("%s changed", path)
		}
	}
	for path := range after {
		if _, was := before[path]; !was {
			t.Errorf("%s is new", path)
		}
	}
}

func TestInit_OnlyTheOwnerReadsWhatItMakes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "server")
	s := settings(t, dir)
	found(t, s)
	// While it is open the database has two more files.
	srv, err := server.New(t.Context(), s, deps())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { run(t, srv)() }()
	modes := map[string]fs.FileMode{}
	err = filepath.WalkDir(filepath.Dir(dir), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil {
			modes[d.Name()] = info.Mode().Perm()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]fs.FileMode{
		"a": 0o700, "server": 0o700, "root.key": 0o600, "seal.key": 0o600,
		"server.db": 0o600, "server.db-wal": 0o600, "server.db-shm": 0o600,
	} {
		if modes[name] != want {
			t.Errorf("%s has mode %04o, want %04o", name, modes[name], want)
		}
		delete(modes, name)
	}
	if len(modes) != 0 {
		t.Errorf("more files: %v", modes)
	}
}

func TestInit_KeepsNoSecretThatItPrints(t *testing.T) {
	s := settings(t, filepath.Join(t.TempDir(), "server"))
	f := found(t, s)
	link, err := url.Parse(f.AdminLink)
	if err != nil {
		t.Fatal(err)
	}
	key := link.Query().Get("key")
	if len(key) < 30 || len(f.Token) < 30 {
		t.Fatalf("%+v", f)
	}
	for path, content := range tree(t, s.Data) {
		for _, secret := range []string{key, f.Token} {
			if strings.Contains(content, fmt.Sprintf("%x", secret)) {
				t.Errorf("%s holds a secret", path)
			}
		}
	}
}

func TestInit_TheSecondRefusesAndChangesNothing(t *testing.T) {
	s := settings(t, filepath.Join(t.TempDir(), "server"))
	found(t, s)
	before := tree(t, s.Data)
	err := server.Init(t.Context(), s, time.Now, rand.Reader, func(server.Founded) error {
		t.Error("something was printed")
		return nil
	})
	if !errors.Is(err, store.ErrExists) {
		t.Fatalf("%v, want store.ErrExists", err)
	}
	unchanged(t, before, tree(t, s.Data))
}

// A root key that lies there may be the only copy of another site's.
func TestInit_KeyFilesWithoutADatabaseAreLeftAlone(t *testing.T) {
	for _, name := range []string{"root.key", "seal.key", "tls.pem"} {
		t.Run(name, func(t *testing.T) {
			s := settings(t, t.TempDir())
			if err := os.WriteFile(filepath.Join(s.Data, name), []byte("precious"), 0o600); err != nil {
				t.Fatal(err)
			}
			before := tree(t, s.Data)
			err := server.Init(t.Context(), s, time.Now, rand.Reader, nil)
			if !errors.Is(err, os.ErrExist) || !strings.Contains(err.Error(), name) {
				t.Fatalf("%v, want os.ErrExist about %s", err, name)
			}
			unchanged(t, before, tree(t, s.Data))
		})
	}
}

// dry gives randomness for so many reads and then fails.
type dry struct{ reads int }

var errDry = errors.New("no more randomness")

func (d *dry) Read(b []byte) (int, error) {
	if d.reads--; d.reads < 0 {
		return 0, errDry
	}
	return rand.Read(b)
}

func TestInit_LeavesNothingWhereverItFails(t *testing.T) {
	outer := t.TempDir()
	s := settings(t, filepath.Join(outer, "a", "server"), "root_key: "+filepath.Join(outer, "safe.key"))
	printed := func(server.Founded) error { return nil }
	before := tree(t, outer)
	steps := 0
	for ; ; steps++ {
		err := server.Init(t.Context(), s, time.Now, &dry{steps}, printed)
		if err == nil {
			break
		}
		if !errors.Is(err, errDry) {
			t.Fatalf("after %d reads: %v", steps, err)
		}
		unchanged(t, before, tree(t, outer))
		if t.Failed() {
			t.Fatalf("after %d reads", steps)
		}
	}
	if steps < 4 {
		t.Fatalf("only %d places to fail at", steps)
	}

	broken := errors.New("printer on fire")
	for name, c := range map[string]struct {
		root string
		show func(server.Founded) error
		ctx  func() context.Context
		want error
	}{
		"cannot print":   {"safe2.key", func(server.Founded) error { return broken }, t.Context, broken},
		"no such folder": {"gone/safe.key", printed, t.Context, os.ErrNotExist},
		"interrupted": {"safe2.key", printed, func() context.Context {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			return ctx
		}, context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			data := filepath.Join(outer, "b") // a folder of the administrator's stays
			if err := os.MkdirAll(data, 0o750); err != nil {
				t.Fatal(err)
			}
			before := tree(t, outer)
			s := settings(t, data, "root_key: "+filepath.Join(outer, c.root))
			if err := server.Init(c.ctx(), s, time.Now, rand.Reader, c.show); !errors.Is(err, c.want) {
				t.Fatalf("%v, want %v", err, c.want)
			}
			unchanged(t, before, tree(t, outer))
		})
	}
}

func TestInit_LinkLeadsToWhereThePagesAre(t *testing.T) {
	for name, c := range map[string]struct{ yaml, link, host string }{
		"plain":          {"listen: 127.0.0.1:8443\n", "http://127.0.0.1:8443", "127.0.0.1:8443"},
		"hosts":          {"listen: 0.0.0.0:8443\ntls: {hosts: [gate.example.edu, 10.0.0.7]}\n", "https://gate.example.edu:8443", "GATE.EXAMPLE.EDU:8443"},
		"the usual port": {"listen: 0.0.0.0:443\ntls: {hosts: [10.0.0.7]}\n", "https://10.0.0.7", "10.0.0.7"},
		"files":          {"listen: 0.0.0.0:443\ncode_host: Gate.example.edu\ntls: {cert: c, key: k}\n", "https://gate.example.edu", "GATE.EXAMPLE.EDU"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := server.ParseConfig("server.yaml", []byte(c.yaml+"site: 云岭大学\ndata: "+filepath.Join(t.TempDir(), "server")+"\n"))
			if err != nil {
				t.Fatal(err)
			}
			if s.CodeHost != c.host {
				t.Errorf("codes carry %s, want %s", s.CodeHost, c.host)
			}
			if f := found(t, s); !strings.HasPrefix(f.AdminLink, c.link+"/console/?key=") {
				t.Errorf("the link is %s, want it at %s", f.AdminLink, c.link)
			}
		})
	}
}

func TestInit_TwoAtOnceMakeOneSite(t *testing.T) {
	s := settings(t, filepath.Join(t.TempDir(), "server"))
	type end struct {
		err error
		out bytes.Buffer
	}
	ends := make(chan *end, 2)
	for range cap(ends) {
		go func() {
			var e end
			e.err = server.Init(t.Context(), s, time.Now, rand.Reader, func(f server.Founded) error {
				_, err := e.out.WriteString(f.Token)
				return err
			})
			ends <- &e
		}()
	}
	made := 0
	for range cap(ends) {
		e := <-ends
		switch {
		case e.err == nil && e.out.Len() > 0:
			made++
		case e.out.Len() > 0:
			t.Errorf("a token of no site: %v", e.err)
		case !errors.Is(e.err, server.ErrInUse) && !errors.Is(e.err, store.ErrExists):
			t.Errorf("refused for another reason: %v", e.err)
		}
	}
	if made != 1 {
		t.Fatalf("%d sites", made)
	}
	srv, err := server.New(t.Context(), s, deps())
	if err != nil {
		t.Fatal(err)
	}
	run(t, srv)()
}
