package guest

import (
	"fmt"
	"io"
)

// archive writes a file system for the kernel to start with: cpio in its "newc"
// form, which the kernel documents in initramfs buffer format.
type archive struct {
	w      io.Writer
	inode  int
	length int
	err    error
}

const (
	modeFolder  = 0o040755
	modeProgram = 0o100755
)

func (a *archive) folder(name string)                  { a.entry(name, modeFolder, nil) }
func (a *archive) program(name string, content []byte) { a.entry(name, modeProgram, content) }

// entry writes one file or folder. Its name and its content are each filled up to
// four bytes.
func (a *archive) entry(name string, mode int, content []byte) {
	a.inode++
	a.print(fmt.Sprintf("070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x",
		a.inode, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name)+1, 0))
	a.print(name + "\x00")
	a.fill()
	a.print(string(content))
	a.fill()
}

// close ends the archive.
func (a *archive) close() error {
	a.entry("TRAILER!!!", 0, nil)
	return a.err
}

func (a *archive) fill() { a.print("\x00\x00\x00"[:-a.length&3]) }

func (a *archive) print(s string) {
	if a.err != nil {
		return
	}
	var n int
	n, a.err = io.WriteString(a.w, s)
	a.length += n
}
