// Package storetest gives every test a site of its own. To found one takes a
// hundred times as long as to copy it, so each is founded once and then copied.
package storetest

import (
	"context"
	"crypto/ed25519"
	"os"
	"path/filepath"
	"sync"

	"campusgate/server/issue"
	"campusgate/server/store"
)

// Database is the name of a site's database in its folder.
const Database = "x.db"

// T is what fails a test: testing's, or rapid's.
type T interface {
	Helper()
	Fatal(args ...any)
}

// Folder is a folder that is filled once and copied for every test. The zero
// Folder is ready. Safe for concurrent use.
type Folder struct {
	once  sync.Once
	files map[string][]byte
}

// Copy copies the files into dir. The first call has fill write them, into
// another folder; whatever it opened there it closes.
func (f *Folder) Copy(t T, dir string, fill func(dir string)) {
	t.Helper()
	f.once.Do(func() {
		first, err := os.MkdirTemp("", "site")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = os.RemoveAll(first) }()
		fill(first)
		f.files = read(t, first)
	})
	if len(f.files) == 0 {
		t.Fatal("the test that was to fill the folder failed")
	}
	for name, data := range f.files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func read(t T, dir string) map[string][]byte {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, e := range entries {
		if e.IsDir() {
			continue
		}
		if files[e.Name()], err = os.ReadFile(filepath.Join(dir, e.Name())); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

var empty Folder

// Found makes dir the folder of a new site, 云岭大学 in Shanghai's time, and gives
// its database, which the caller closes, and its root key, which is in
// issue.RootFile too. All sites of a test program have the same root.
func Found(t T, dir string, o store.Options) (*store.Store, ed25519.PrivateKey) {
	t.Helper()
	empty.Copy(t, dir, func(first string) {
		root, err := issue.CreateRoot(filepath.Join(first, issue.RootFile), nil)
		if err != nil {
			t.Fatal(err)
		}
		db, err := store.Create(context.Background(), filepath.Join(first, Database), store.Site{
			Name: "云岭大学", TimeZone: "Asia/Shanghai", Root: root.Public().(ed25519.PublicKey),
		}, store.Options{Now: o.Now})
		if err == nil {
			err = db.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
	})
	return Open(t, dir, o)
}

// Open opens the site that Found made, or a copy of it.
func Open(t T, dir string, o store.Options) (*store.Store, ed25519.PrivateKey) {
	t.Helper()
	db, err := store.Open(context.Background(), filepath.Join(dir, Database), o)
	if err != nil {
		t.Fatal(err)
	}
	root, err := issue.LoadRoot(filepath.Join(dir, issue.RootFile), db.Site().Root)
	if err != nil {
		t.Fatal(err)
	}
	return db, root
}
