package wire

import (
	"encoding/json"
	"fmt"
)

// frameRoom is what one part may take of a frame; the rest is for what is
// around the parts.
const frameRoom = MaxFrameBytes - 1024

// EventsFrame packs records, from the first on, into one frame until it is
// full (MaxBatch, FrameTarget) and says how many went in. A record that no
// frame can hold wraps ErrTooLarge.
func EventsFrame(records []Record) (frame []byte, n int, err error) {
	parts, err := encodeParts(records[:min(len(records), MaxBatch)])
	if err != nil {
		return nil, 0, err
	}
	n = run(parts)
	body := append([]byte(`{"records":[`), join(parts[:n])...)
	frame, err = envelope(Up, TypeEvents, append(body, "]}"...))
	return frame, n, err
}

// DeltaFrames cuts a Delta into frames that are full at most (MaxBatch,
// FrameTarget). Reset stays on the first; all have More but the last, which
// keeps the Delta's own. An item that no frame can hold wraps ErrTooLarge.
func DeltaFrames(d Delta) ([][]byte, error) {
	parts, err := encodeParts(d.Items)
	if err != nil {
		return nil, err
	}
	cursor, err := json.Marshal(d.Cursor)
	if err != nil {
		return nil, fmt.Errorf("encode cursor: %w", err)
	}
	var frames [][]byte
	for first := true; first || len(parts) > 0; first = false {
		n := run(parts)
		body := append([]byte(`{"cursor":`), cursor...)
		if first && d.Reset {
			body = append(body, `,"reset":true`...)
		}
		if d.More || n < len(parts) {
			body = append(body, `,"more":true`...)
		}
		body = append(body, `,"items":[`...)
		body = append(body, join(parts[:n])...)
		frame, err := envelope(Down, TypeDelta, append(body, "]}"...))
		if err != nil {
			return nil, err
		}
		frames, parts = append(frames, frame), parts[n:]
	}
	return frames, nil
}

func encodeParts[T any](all []T) ([][]byte, error) {
	parts := make([][]byte, len(all))
	for i := range all {
		raw, err := json.Marshal(&all[i])
		if err != nil {
			return nil, fmt.Errorf("encode part %d: %w", i, err)
		}
		if len(raw) > frameRoom {
			return nil, fmt.Errorf("%w: part %d of %d bytes, at most %d", ErrTooLarge, i, len(raw), frameRoom)
		}
		parts[i] = raw
	}
	return parts, nil
}

// run says how many parts from the first on make one frame: one at least, if
// there is one.
func run(parts [][]byte) int {
	n, size := 0, 0
	for n < len(parts) && n < MaxBatch {
		size += len(parts[n]) + 1
		if n > 0 && size > FrameTarget {
			break
		}
		n++
	}
	return n
}

func join(parts [][]byte) []byte {
	var b []byte
	for i, p := range parts {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, p...)
	}
	return b
}
