package signing_test

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// vectorFolder finds the public test vectors: in CAMPUSGATE_VECTORS, or in
// shared/vectors beside one of the folders above. It skips the test without.
func vectorFolder(t *testing.T) string {
	t.Helper()
	if dir := os.Getenv("CAMPUSGATE_VECTORS"); dir != "" {
		return dir
	}
	up := ".."
	for range 8 {
		dir := filepath.Join(up, "shared", "vectors")
		if _, err := os.Stat(dir); err == nil {
			return dir
		}
		up = filepath.Join(up, "..")
	}
	t.Skip("no public test vectors: set CAMPUSGATE_VECTORS to their folder")
	return ""
}

func readJSON(t *testing.T, file string, into any) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

// hexBytes is a byte string written as hex in JSON.
type hexBytes []byte

func (h *hexBytes) UnmarshalText(text []byte) (err error) {
	*h, err = hex.DecodeString(string(text))
	return err
}
