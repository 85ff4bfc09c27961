package report

import (
	"context"
	"errors"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"campusgate/server/apply"
	"campusgate/server/approval"
	"campusgate/server/store"
)

// MaxRows is the most that a file holds. One that would leave something out
// silently is not made.
const MaxRows = 100_000

// ErrTooMany is wrapped when more than MaxRows records fit.
var ErrTooMany = errors.New("more than 100000 records; narrow the filter")

// Format of a file.
type Format string

// The formats.
const (
	CSV  Format = "csv"
	XLSX Format = "xlsx"
)

// Export is a file that may be written, once.
type Export struct {
	service *Service
	format  Format
	name    string // of the flow
	columns []Column
	ids     []string
	plain   bool
}

// ErrReason: a file with everything in full is given for a reason only.
var ErrReason = errors.New("a reason is needed")

// Form is how a file is written.
type Form struct {
	Format  Format
	Columns []string // ids of those that are wanted; none = those that are shown
	Plain   bool     // names and numbers in full; else they are masked
	Reason  string   // with Plain; it goes into the trail
}

// shortestReason, in characters: more than a key pressed.
const shortestReason = 4

// Export decides what a file holds and writes that into the audit trail: whoever
// asks for a file is taken to have got it. The trail has the filters but not the
// text that was looked for, which may be somebody's name. Errors wrap ErrColumn,
// ErrTooMany or ErrReason.
func (s *Service) Export(ctx context.Context, actor string, flow *approval.Flow, q apply.Query, form Form) (*Export, error) {
	form.Reason = strings.TrimSpace(form.Reason)
	if form.Plain && utf8.RuneCountInString(form.Reason) < shortestReason {
		return nil, ErrReason
	}
	chosen, err := choose(flow, form.Columns)
	if err != nil {
		return nil, err
	}
	q.Flow = flow.ID
	ids, err := s.Apply.MatterIDs(ctx, q, MaxRows+1)
	if err != nil {
		return nil, err
	}
	if len(ids) > MaxRows {
		return nil, ErrTooMany
	}
	names := make([]string, len(chosen))
	for i, c := range chosen {
		names[i] = c.ID
	}
	err = s.Store.Change(ctx, func(t *store.Tx) error {
		return t.Trail(actor, "report.exported", "flow "+flow.ID, map[string]any{
			"format": form.Format, "plain": form.Plain, "reason": form.Reason, "columns": names, "rows": len(ids), "from": q.From, "to": q.To, "state": q.State, "text": q.Text != "",
		})
	})
	return &Export{s, form.Format, flow.Name, chosen, ids, form.Plain}, err
}

// Rows is how many records the file has.
func (e *Export) Rows() int { return len(e.ids) }

// Write writes the file. After an error what was written is not the whole of it.
func (e *Export) Write(ctx context.Context, w io.Writer) error {
	if e.format == XLSX {
		return e.writeBook(ctx, w)
	}
	return e.writeText(ctx, w)
}

// Guard makes a text inert in a file without types. What a spreadsheet program
// could take for a formula gets an apostrophe in front: one that begins with
// = + - @, also in their full-width forms, or with a tab or line break, also after
// spaces, quotes and characters that nobody sees.
func Guard(text string) string {
	rest := strings.TrimLeftFunc(text, skipped)
	for _, start := range []string{"=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"} {
		if strings.HasPrefix(rest, start) {
			return "'" + text
		}
	}
	return text
}

// skipped is what a program may pass over before it looks for a formula.
func skipped(r rune) bool {
	switch {
	case strings.ContainsRune("\t\r\n", r):
		return false
	case strings.ContainsRune("\"'`“”‘’＂＇", r):
		return true
	}
	return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r)
}
