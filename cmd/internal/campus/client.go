package campus

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Client calls a server's API with a token, or with the session in HTTP's
// cookies.
type Client struct {
	Base  string // http://host:port
	Token string
	HTTP  *http.Client
}

// Refusal is an answer with a status of 400 or more.
type Refusal struct {
	Call    string         `json:"-"` // method and path
	Status  int            `json:"-"`
	Code    string         `json:"code"`
	Message string         `json:"message"`
	Details map[string]any `json:"details"`
}

func (r *Refusal) Error() string {
	return fmt.Sprintf("%s: %d %s: %s %v", r.Call, r.Status, r.Code, r.Message, r.Details)
}

// Do sends in as JSON and decodes the answer into out; either may be nil. A
// *[]byte gets the answer as it is. The error may be a *Refusal.
func (c Client) Do(ctx context.Context, method, path string, in, out any) error {
	if in == nil {
		return c.send(ctx, method, path, "", nil, out)
	}
	data, err := json.Marshal(in)
	if err != nil {
		return err
	}
	return c.send(ctx, method, path, "application/json", bytes.NewReader(data), out)
}

func (c Client) send(ctx context.Context, method, path, kind string, body io.Reader, out any) error {
	req, err := http.NewRequestWithContext(ctx, method, c.Base+path, body)
	if err != nil {
		return err
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	if c.Token != "" {
		req.Header.Set("Authorization", "Bearer "+c.Token)
	}
	client := c.HTTP
	if client == nil {
		client = http.DefaultClient
	}
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode >= 400 {
		r := &Refusal{Call: method + " " + path, Status: res.StatusCode}
		if json.Unmarshal(data, r) != nil {
			r.Message = string(bytes.TrimSpace(data))
		}
		return r
	}
	if raw, ok := out.(*[]byte); ok {
		*raw = data
		return nil
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(data, out)
}

// PassRequest is the body of POST /api/v1/passes.
type PassRequest struct {
	Kind      string `json:"kind"`
	Name      string `json:"name"`
	Doc4      string `json:"doc4,omitempty"`
	From      string `json:"from"`
	Until     string `json:"until"`
	Uses      uint32 `json:"uses"`
	Zones     []int  `json:"zones,omitempty"`
	OwnerGate uint16 `json:"owner_gate,omitempty"`
	Bound     bool   `json:"bound,omitempty"`
}

// Pass is the server's answer.
type Pass struct {
	ID    string `json:"id"`
	Code  string `json:"code"`
	URL   string `json:"url"`
	State string `json:"state"`
}

// Issue makes a pass.
func (c Client) Issue(ctx context.Context, req PassRequest) (p Pass, err error) {
	err = c.Do(ctx, http.MethodPost, "/api/v1/passes", req, &p)
	return p, err
}

// Event is one row of GET /api/v1/events.
type Event struct {
	ID       string `json:"id"`
	Agent    uint32 `json:"agent"`
	Epoch    uint32 `json:"epoch"`
	Seq      uint64 `json:"seq"`
	Type     string `json:"type"`
	At       int64  `json:"at"`
	Received int64  `json:"received_at"`
	Offline  bool   `json:"offline"`
	Gate     uint16 `json:"gate"`
	PassID   string `json:"pass_id"`
	Reason   string `json:"reason"`
	Mark     string `json:"mark"`
	Repeat   bool   `json:"repeat"`
	Opinion  string `json:"opinion"`    // the server's; "" = none yet
	Amount   int64  `json:"amount_fen"` // of a charge
	Hash     string `json:"hash"`
}

// Events pages through everything after a cursor and returns the new cursor.
func (c Client) Events(ctx context.Context, after int64) (all []Event, next int64, err error) {
	for {
		var page struct {
			Events []Event `json:"events"`
			Next   int64   `json:"next"`
		}
		path := fmt.Sprintf("/api/v1/events?after=%d&limit=500", after)
		if err := c.Do(ctx, http.MethodGet, path, nil, &page); err != nil {
			return nil, 0, err
		}
		all = append(all, page.Events...)
		after = page.Next
		if len(page.Events) == 0 {
			return all, after, nil
		}
	}
}

// Until calls check every few milliseconds until it holds or ctx ends.
func Until(ctx context.Context, check func() (bool, error)) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		ok, err := check()
		if ok {
			return nil
		}
		select {
		case <-ctx.Done():
			if err != nil {
				return fmt.Errorf("%w; last: %w", ctx.Err(), err)
			}
			return ctx.Err()
		case <-tick.C:
		}
	}
}
