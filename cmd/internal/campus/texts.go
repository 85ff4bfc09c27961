package campus

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"regexp"
	"sync"
)

// Texts are the one-time codes that the server shows where it runs instead of
// sending them, as its gateway "terminal" does. Safe for concurrent use.
type Texts struct {
	out   io.Writer // gets the line of every code; nil = nowhere
	mu    sync.Mutex
	line  []byte            // what of a line has come
	codes map[string]string // by the last four digits of the phone
}

// tell has the codes that come from now on written to out as well.
func (x *Texts) tell(out io.Writer) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.out = out
}

// textLine is how the server writes a code; see server/notify.
var textLine = regexp.MustCompile(`SMS → …(\d{4}): (\d{6})$`)

// Write reads along in what the server says.
func (x *Texts) Write(p []byte) (int, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.line = append(x.line, p...)
	for {
		line, rest, whole := bytes.Cut(x.line, []byte("\n"))
		if !whole {
			return len(p), nil
		}
		if found := textLine.FindSubmatch(bytes.TrimSpace(line)); found != nil {
			if x.codes == nil {
				x.codes = map[string]string{}
			}
			x.codes[string(found[1])] = string(found[2])
			if x.out != nil {
				_, _ = fmt.Fprintf(x.out, " 短信验证码 code for …%s: %s\n", found[1], found[2]) // nobody may be reading
			}
		}
		x.line = bytes.Clone(rest)
	}
}

// Await waits for the code of a phone and takes it away. Phones are told apart
// by their last four digits: the server shows no more of them.
func (x *Texts) Await(ctx context.Context, phone string) (code string, err error) {
	if len(phone) < 4 {
		return "", fmt.Errorf("phone %q: too short", phone)
	}
	tail := phone[len(phone)-4:]
	err = Until(ctx, func() (bool, error) {
		x.mu.Lock()
		defer x.mu.Unlock()
		code = x.codes[tail]
		delete(x.codes, tail)
		return code != "", nil
	})
	if err != nil {
		return "", fmt.Errorf("code for …%s: %w", tail, err)
	}
	return code, nil
}
