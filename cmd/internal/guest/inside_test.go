package guest

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// TestTheArchiveIsWhatTheKernelReads reads it back by the kernel's description:
// headers of 110 characters, names and contents each filled up to four bytes.
func TestTheArchiveIsWhatTheKernelReads(t *testing.T) {
	var out bytes.Buffer
	a := &archive{w: &out}
	want := map[string]string{"dev": "", "TRAILER!!!": ""}
	a.folder("dev")
	for n := range 9 {
		name, content := strings.Repeat("n", n+1), strings.Repeat("\x00c", n)
		want[name] = content
		a.program(name, []byte(content))
	}
	if err := a.close(); err != nil {
		t.Fatal(err)
	}
	rest, at := out.Bytes(), 0
	take := func(n int) []byte {
		part := rest[at : at+n]
		at += n
		return part
	}
	for found := range len(want) {
		head := string(take(110))
		var mode, size, name int
		if _, err := fmt.Sscanf(head[:6]+" "+head[14:22]+" "+head[54:62]+" "+head[94:102], "070701 %x %x %x", &mode, &size, &name); err != nil {
			t.Fatalf("entry %d: %q: %v", found, head, err)
		}
		called := strings.TrimSuffix(string(take(name)), "\x00")
		take(-at & 3)
		content := string(take(size))
		take(-at & 3)
		if expected, ok := want[called]; !ok || content != expected {
			t.Errorf("entry %q holds %q, want %q", called, content, expected)
		}
		if called == "dev" && mode != modeFolder || len(called) < 10 && called != "dev" && mode != modeProgram {
			t.Errorf("entry %q has mode %o", called, mode)
		}
	}
	if at != len(rest) {
		t.Errorf("%d bytes more", len(rest)-at)
	}
}

func TestAMachineThatCannotBeIsSaidSo(t *testing.T) {
	if _, err := Find(t.TempDir()); !errors.Is(err, ErrAbsent) {
		t.Errorf("an empty folder: %v", err)
	}
}
