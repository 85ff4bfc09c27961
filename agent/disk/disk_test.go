package disk_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"campusgate/agent/disk"
)

func nothing(*disk.Tx) error { return nil }

func create(t *testing.T, fill func(*disk.Tx) error) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a folder with spaces & 汉字", "agent.db")
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := disk.Create(path, fill); err != nil {
		t.Fatal(err)
	}
	return path
}

func open(t *testing.T, path string) *disk.DB {
	t.Helper()
	db, err := disk.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func TestOpen_NeverMakesAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "agent.db")
	if _, err := disk.Open(path); !errors.Is(err, disk.ErrMissing) {
		t.Fatalf("got %v", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("something is there: %v", err)
	}
}

func TestCreate_LeavesAnExistingStoreAlone(t *testing.T) {
	path := create(t, nothing)
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := disk.Create(path, nothing); !errors.Is(err, disk.ErrExists) {
		t.Fatalf("got %v", err)
	}
	if after, _ := os.ReadFile(path); string(after) != string(before) {
		t.Fatal("the file changed")
	}
}

func TestCreate_IsAllOrNothing(t *testing.T) {
	dir := t.TempDir()
	broken := errors.New("no")
	err := disk.Create(filepath.Join(dir, "agent.db"), func(*disk.Tx) error { return broken })
	if !errors.Is(err, broken) {
		t.Fatalf("got %v", err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Fatalf("left behind: %v", left)
	}
}

func TestCreate_OnlyTheOwnerReads(t *testing.T) {
	path := create(t, nothing)
	db := open(t, path)
	if err := db.Update(func(tx *disk.Tx) error { return tx.Exec("DELETE FROM gates") }); err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob(path + "*")
	if err != nil || len(names) < 2 {
		t.Fatalf("files %v, %v", names, err)
	}
	for _, name := range names {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s is %v", name, info.Mode())
		}
	}
}

func TestUpdate_RollsBackOnErrorAndPanic(t *testing.T) {
	db := open(t, create(t, nothing))
	put := func(tx *disk.Tx) error {
		return tx.Exec("INSERT INTO releases (claim, pass) VALUES ($1, $2)", "1-1-1", []byte{1})
	}
	broken := errors.New("no")
	if err := db.Update(func(tx *disk.Tx) error { return errors.Join(put(tx), broken) }); !errors.Is(err, broken) {
		t.Fatalf("got %v", err)
	}
	func() {
		defer func() { _ = recover() }()
		_ = db.Update(func(tx *disk.Tx) error { _ = put(tx); panic("no") })
	}()
	var n int
	if err := db.Read().QueryRow("SELECT count(*) FROM releases").Scan(&n); err != nil || n != 0 {
		t.Fatalf("%d rows, %v", n, err)
	}
	if err := db.Update(put); err != nil {
		t.Fatalf("afterwards: %v", err)
	}
}

func TestOpen_RefusesForeignFiles(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, []byte(strings.Repeat("not a database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := disk.Open(text); err == nil {
		t.Error("a text file was opened")
	}
	empty := filepath.Join(dir, "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := disk.Open(empty); !errors.Is(err, disk.ErrForeign) {
		t.Errorf("an empty file: %v", err)
	}
}
