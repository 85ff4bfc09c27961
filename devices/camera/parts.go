package camera

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

const (
	// maxHead bounds a line between two pictures, and all lines of a head.
	maxHead = 4 << 10
	// maxDashes is how many dashes may stand in front of a boundary's name.
	maxDashes = 32
	// maxJunk bounds what stands in front of a boundary.
	maxJunk = 64 << 10
)

var (
	errLarge    = fmt.Errorf("a picture of more than %d MB", maxFrame>>20)
	errHead     = errors.New("the stream is damaged: a head that is too long")
	errLength   = errors.New("the stream is damaged: a length that is no number")
	errBoundary = errors.New("the stream is damaged: no boundary")
)

// parts reads the pictures of a multipart stream. The reader of the standard
// library is strict and unbounded; cameras are not strict: some give more or fewer
// dashes than they announce, some give no length, some end lines with LF alone.
type parts struct {
	in   *bufio.Reader
	name []byte // of the boundary, without the dashes in front
}

func newParts(r io.Reader, boundary string) *parts {
	return &parts{bufio.NewReaderSize(r, maxHead), []byte(strings.TrimLeft(boundary, "-"))}
}

// next reads one picture. It returns io.EOF when the stream says that it ends, or
// is cut off.
func (p *parts) next() ([]byte, error) {
	if err := p.seek(); err != nil {
		return nil, err
	}
	length, err := p.head()
	if err != nil {
		return nil, err
	}
	if length < 0 {
		return p.body()
	}
	data := make([]byte, length)
	if _, err := io.ReadFull(p.in, data); err != nil {
		return nil, io.EOF
	}
	return data, nil
}

// boundary reports whether the boundary stands next. It waits for no byte more
// than that takes: what follows may be a frame later.
func (p *parts) boundary() bool {
	dashes := 0
	for ; dashes < maxDashes; dashes++ {
		ahead, _ := p.in.Peek(dashes + 1) // less at the end, which is no boundary
		if len(ahead) <= dashes || ahead[dashes] != '-' {
			break
		}
	}
	if dashes < 2 {
		return false
	}
	ahead, _ := p.in.Peek(dashes + len(p.name))
	return bytes.HasSuffix(ahead, p.name) && len(ahead) == dashes+len(p.name)
}

// seek skips to the line after the next boundary.
func (p *parts) seek() error {
	for junk := 0; junk <= maxJunk; {
		found := p.boundary()
		line, err := p.in.ReadSlice('\n')
		if err != nil && err != bufio.ErrBufferFull {
			return io.EOF
		}
		if found {
			if bytes.HasPrefix(bytes.TrimPrefix(bytes.TrimLeft(line, "-"), p.name), []byte("--")) {
				return io.EOF
			}
			return nil
		}
		junk += len(line)
	}
	return errBoundary
}

// head reads the head of a part and gives the length that it names, or -1.
func (p *parts) head() (int, error) {
	length := -1
	for total := 0; ; {
		line, err := p.in.ReadSlice('\n')
		if err == bufio.ErrBufferFull {
			return 0, errHead
		}
		if err != nil {
			return 0, io.EOF
		}
		if total += len(line); total > maxHead {
			return 0, errHead
		}
		text := strings.TrimSpace(string(line))
		if text == "" {
			return length, nil
		}
		name, value, _ := strings.Cut(text, ":")
		if !strings.EqualFold(strings.TrimSpace(name), "Content-Length") {
			continue
		}
		if length, err = strconv.Atoi(strings.TrimSpace(value)); err != nil || length < 0 {
			return 0, errLength
		}
		if length > maxFrame {
			return 0, errLarge
		}
	}
}

// body reads up to the next boundary, which stays to be read.
func (p *parts) body() ([]byte, error) {
	var data []byte
	for {
		if (len(data) == 0 || data[len(data)-1] == '\n') && p.boundary() {
			return bytes.TrimSuffix(bytes.TrimSuffix(data, []byte("\n")), []byte("\r")), nil
		}
		line, err := p.in.ReadSlice('\n')
		if err != nil && err != bufio.ErrBufferFull {
			return nil, io.EOF
		}
		if data = append(data, line...); len(data) > maxFrame {
			return nil, errLarge
		}
	}
}
