package devices

import (
	"context"
	"errors"
)

// What a Printer's error may wrap. Without ErrMaybePrinted nothing came out.
var (
	// ErrMaybePrinted: the paper may hold all of the slip, a part, or nothing.
	// Somebody has to look at it before it is printed again.
	ErrMaybePrinted = errors.New("it may have been printed")
	// ErrPaperOut: there is no paper.
	ErrPaperOut = errors.New("out of paper")
	// ErrCoverOpen: the printer's cover is open.
	ErrCoverOpen = errors.New("the cover is open")
	// ErrOffline: the printer itself says that it cannot print.
	ErrOffline = errors.New("the printer is not ready")
	// ErrSlip: the slip cannot be printed on this paper.
	ErrSlip = errors.New("the slip does not fit")
)

// Printer prints slips.
type Printer interface {
	// Print returns when the printer has taken the whole slip. Safe for concurrent
	// use: one slip is printed at a time. When ctx ends before the first byte was
	// sent nothing is printed; what has begun is not broken off.
	Print(ctx context.Context, s Slip) error
}

// Slip is a piece of paper, from top to bottom.
type Slip []Row

// Align is where a row stands.
type Align uint8

// The places.
const (
	Left Align = iota
	Center
	Right
)

// Row is one part of a slip: the first of QR, Rule, Feed, Cut that is set, and
// otherwise text. Texts may come from anywhere: a character that the printer
// does not have is shown as a box, and so is one that would be a command to it.
type Row struct {
	// Text is broken where it does not fit.
	Text string
	// Right stands at the right edge, behind Text, in a row of its own where the
	// two do not fit. With it Align is ignored.
	Right string
	Align Align
	Size  int // 1 or 2; 0 means 1
	Bold  bool

	QR   string // printable ASCII; stands in the middle
	Rule bool   // a line across the paper
	Feed int    // empty lines
	Cut  bool   // feeds to the cutter and cuts, where there is one
}
