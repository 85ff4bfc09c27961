package console

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/gorilla/websocket"

	"campusgate/agent/call"
	"campusgate/agent/desk"
	"campusgate/agent/till"
)

// message is what a feed sends. The first is the whole state; then come scans,
// statuses, and texts where a new guideline came; at a till also the till.
// Nothing is expected from the page.
type message struct {
	Type   string        `json:"type"` // state, scan, status or texts
	Status *Status       `json:"status,omitempty"`
	Scans  []desk.Result `json:"scans,omitempty"` // with state: newest first
	Scan   *desk.Result  `json:"scan,omitempty"`
	Texts  *texts        `json:"texts,omitempty"` // with state, and when they change
	Till   *till.View    `json:"till,omitempty"`  // with state, at a till
	Calls  []call.View   `json:"calls,omitempty"` // with state
}

// tillMessage says how the till is, when that changed and each second.
type tillMessage struct {
	Type string `json:"type"` // till
	till.View
}

const (
	// maxFeeds bounds the pages that are open at once; one or two is usual.
	maxFeeds = 16
	// feedQueue is how many messages may wait for one page. A page that is
	// further behind is closed: it comes back and gets the whole state.
	feedQueue = 32
	// writeTimeout is how long one message may take to leave.
	writeTimeout = 5 * time.Second
	// byeTimeout is how long a feed that is over may still be written to.
	byeTimeout = 250 * time.Millisecond
)

// The fence has checked the origin already, by the same rule as for all else.
var upgrader = websocket.Upgrader{
	HandshakeTimeout: 5 * time.Second,
	CheckOrigin:      func(*http.Request) bool { return true },
}

// getFeed tells a page of guards or cashiers everything.
func (c *Console) getFeed(w http.ResponseWriter, r *http.Request) error {
	v := visitor{guard: r.URL.Query().Get("page") == guardPage}
	return c.feed(w, r, v, func() (any, error) {
		status, texts := c.status(), c.texts()
		state := message{Type: "state", Status: &status, Scans: c.recent(), Texts: &texts, Calls: c.calls.List()}
		if c.till == nil {
			return state, nil
		}
		till, err := c.till.View(r.Context())
		state.Till = &till
		return state, err
	})
}

// feed turns the request into a feed, which begins with a first message, and
// stays with it.
func (c *Console) feed(w http.ResponseWriter, r *http.Request, who visitor, begin func() (any, error)) error {
	if !websocket.IsWebSocketUpgrade(r) {
		w.Header().Set("Upgrade", "websocket")
		return &upgradeNeeded
	}
	feed, ok := c.hub.join(who)
	if !ok {
		return &tooManyFeeds
	}
	defer c.hub.leave(feed)
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return nil // Upgrade has answered
	}
	defer func() { _ = conn.Close() }()
	go listen(conn, feed)

	// The feed has joined, so nothing is lost between this state and the first
	// scan after it; a scan that is in both comes twice, and says the same.
	state, err := begin()
	var first []byte
	if err == nil {
		first, err = json.Marshal(state)
	}
	if err != nil {
		c.log.Error("feed not started", "error", err)
		return nil
	}
	if write(conn, first) != nil {
		return nil
	}
	if who.guard {
		c.calls.Nudge()
	}
	for {
		select {
		case b := <-feed.queue:
			if write(conn, b) != nil {
				return nil
			}
		case <-feed.gone:
			bye := websocket.FormatCloseMessage(feed.code, "")
			_ = conn.WriteControl(websocket.CloseMessage, bye, time.Now().Add(byeTimeout))
			return nil
		}
	}
}

func write(conn *websocket.Conn, b []byte) error {
	if err := conn.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return err
	}
	return conn.WriteMessage(websocket.TextMessage, b)
}

// listen answers pings and notices that the page left. When the feed is gone
// it cuts a writer short that waits for a page which reads nothing.
func listen(conn *websocket.Conn, feed *feed) {
	go func() {
		<-feed.gone
		_ = conn.UnderlyingConn().SetWriteDeadline(time.Now().Add(byeTimeout))
	}()
	conn.SetReadLimit(1 << 10)
	for {
		if _, _, err := conn.ReadMessage(); err != nil {
			feed.close(websocket.CloseNormalClosure)
			return
		}
	}
}
