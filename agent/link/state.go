package link

import (
	"errors"
	"fmt"
	"time"
)

// State is how the link is doing, for the page at the gate.
type State struct {
	Online bool
	Since  time.Time // of the PC's own clock: when it went online, or offline
	// Err is why the last attempt or connection ended; nil when there was none,
	// and while online. Code is its Bye code, if one was given.
	Err  error
	Code string

	OffsetMS  *int64        // what was last measured; nil = nothing yet
	RTT       time.Duration // of the exchange it was measured by
	UpFault   string        // why events are not going up; "" = they are
	DownFault string        // why the snapshot does not advance; "" = it does
}

// ByeError is a connection ended by a Bye, of the server or our own.
type ByeError struct {
	Code    string
	Message string
	Ours    bool
}

func (e *ByeError) Error() string {
	side := "the server"
	if e.Ours {
		side = "this agent"
	}
	return fmt.Sprintf("%s ended the connection: %s: %s", side, e.Code, e.Message)
}

// State gives the present state.
func (l *Link) State() State {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state
}

// Changed gives a channel that is closed when Online, Err, or a fault changes
// after the call.
func (l *Link) Changed() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.changed
}

// update changes the state under the lock and tells those who wait.
func (l *Link) update(change func(*State)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change(&l.state)
	close(l.changed)
	l.changed = make(chan struct{})
}

func (l *Link) online(s *session) {
	select {
	case <-l.retry: // asked for while dialling: done
	default:
	}
	l.cfg.Log.Info("link online", "server", l.cfg.Server)
	l.update(func(st *State) {
		l.live = s
		st.Online, st.Since, st.Err, st.Code = true, l.cfg.Now(), nil, ""
		st.UpFault, st.DownFault = "", ""
	})
}

// offline notes why there is no connection. Since stays what it was when there
// was none before.
func (l *Link) offline(err error) {
	l.offered("")
	l.cfg.Log.Warn("link offline", "server", l.cfg.Server, "err", err)
	l.update(func(st *State) {
		l.live = nil
		if st.Online {
			st.Online, st.Since = false, l.cfg.Now()
		}
		st.Err, st.Code = err, ""
		var bye *ByeError
		if errors.As(err, &bye) {
			st.Code = bye.Code
		}
	})
}

// fault notes that a stream is failing, or ("") works again.
func (l *Link) fault(which func(*State) *string, text string) {
	l.mu.Lock()
	same := *which(&l.state) == text
	l.mu.Unlock()
	if same {
		return
	}
	if text != "" {
		l.cfg.Log.Warn("stream fails and will be tried again", "err", text)
	}
	l.update(func(st *State) { *which(st) = text })
}

func upFault(st *State) *string   { return &st.UpFault }
func downFault(st *State) *string { return &st.DownFault }

// current gives the session to speak on; nil = offline.
func (l *Link) current() *session {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.live
}
