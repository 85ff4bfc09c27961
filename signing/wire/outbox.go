package wire

import "context"

// outboxFrames is how many frames of each stream wait to be written.
const outboxFrames = 16

// Outbox holds encoded frames until a connection's writer takes them: a
// bounded queue for each stream, of which the writer is given the most urgent
// first (link, ask, call, up, down, load). Any number of goroutines may put; one takes.
type Outbox struct{ link, ask, call, up, down, load chan []byte }

// NewOutbox makes an empty one.
func NewOutbox() *Outbox {
	return &Outbox{
		link: make(chan []byte, outboxFrames),
		ask:  make(chan []byte, 2*AskWindow), // claims and answers
		call: make(chan []byte, 4*MaxCalls),
		up:   make(chan []byte, outboxFrames),
		down: make(chan []byte, outboxFrames),
		load: make(chan []byte, 1),
	}
}

func (o *Outbox) queue(s Stream) chan []byte {
	switch s {
	case Link:
		return o.link
	case Ask:
		return o.ask
	case Call:
		return o.call
	case Up:
		return o.up
	case Down:
		return o.down
	case Load:
		return o.load
	}
	return nil // no such stream: Put waits for ctx, Offer refuses
}

// Put waits for room in the stream's queue, or for ctx and then gives its cause.
func (o *Outbox) Put(ctx context.Context, s Stream, frame []byte) error {
	select {
	case o.queue(s) <- frame:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Offer puts a frame that is worth nothing later: when the queue is full it
// reports false and drops it.
func (o *Outbox) Offer(s Stream, frame []byte) bool {
	select {
	case o.queue(s) <- frame:
		return true
	default:
		return false
	}
}

// Take waits for the next frame to write, or for ctx and then gives its cause.
func (o *Outbox) Take(ctx context.Context) ([]byte, error) {
	for _, q := range [...]chan []byte{o.link, o.ask, o.call, o.up, o.down, o.load} {
		select {
		case frame := <-q:
			return frame, nil
		default:
		}
	}
	select {
	case frame := <-o.link:
		return frame, nil
	case frame := <-o.ask:
		return frame, nil
	case frame := <-o.call:
		return frame, nil
	case frame := <-o.up:
		return frame, nil
	case frame := <-o.down:
		return frame, nil
	case frame := <-o.load:
		return frame, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}
