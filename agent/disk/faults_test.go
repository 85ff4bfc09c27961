package disk_test

import (
	"errors"
	"path/filepath"
	"testing"

	"campusgate/agent/disk"
)

func TestFaults_FailInBothForms(t *testing.T) {
	path := filepath.Join(t.TempDir(), "agent.db")
	err := disk.Create(path, func(tx *disk.Tx) error { return tx.Exec("INSERT INTO policy (id, body) VALUES (1, x'00')") })
	if err != nil {
		t.Fatal(err)
	}
	db, err := disk.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	broken := errors.New("on fire")
	for _, c := range []struct {
		apply bool
		err   error
		write byte
		holds byte
	}{{false, broken, 1, 0}, {true, broken, 2, 2}, {true, nil, 3, 3}} {
		db.Faults(func() (bool, error) { return c.apply, c.err })
		err := db.Update(func(tx *disk.Tx) error { return tx.Exec("UPDATE policy SET body = $1", []byte{c.write}) })
		if !errors.Is(err, c.err) {
			t.Errorf("%+v: %v", c, err)
		}
		var body []byte
		if err := db.Read().QueryRow("SELECT body FROM policy").Scan(&body); err != nil || string(body) != string([]byte{c.holds}) {
			t.Errorf("%+v: holds %x, %v", c, body, err)
		}
	}
}
