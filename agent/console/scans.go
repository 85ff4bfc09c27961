package console

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"campusgate/agent/desk"
)

const (
	// maxBody holds the longest text a QR code can carry (4296 characters), with
	// every character escaped.
	maxBody = 32 << 10
	// maxText is far above any code of ours; a lane answers the rest malformed.
	maxText = 8 << 10
	// presentTimeout bounds a decision. A lane asks elsewhere for 300 ms and
	// writes to disk; longer than this is a fault.
	presentTimeout = 5 * time.Second
)

// sources are where a code can come from when it comes through the API.
var sources = []string{"api", "wedge", "manual", "camera"}

func (c *Console) getStatus(w http.ResponseWriter, _ *http.Request) error {
	c.answer(w, http.StatusOK, c.status())
	return nil
}

func (c *Console) getTexts(w http.ResponseWriter, _ *http.Request) error {
	c.answer(w, http.StatusOK, c.texts())
	return nil
}

func (c *Console) getScans(w http.ResponseWriter, _ *http.Request) error {
	c.answer(w, http.StatusOK, map[string]any{"scans": c.recent()})
	return nil
}

// recent never gives null, so that the JSON is always a list.
func (c *Console) recent() []desk.Result {
	if list := c.desk.Recent(); list != nil {
		return list
	}
	return []desk.Result{}
}

// postScan presents a code. Without a lane it is the first one.
func (c *Console) postScan(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Text   string `json:"text"`
		Source string `json:"source"`
		Lane   string `json:"lane"`
	}
	if err := c.decode(w, r, &in); err != nil {
		return err
	}
	if in.Source == "" {
		in.Source = "api"
	}
	lanes := c.status().Lanes
	if in.Lane == "" && len(lanes) > 0 {
		in.Lane = lanes[0].Name
	}
	switch {
	case in.Text == "":
		return badRequest.with("text", "must not be empty")
	case len(in.Text) > maxText:
		return badRequest.with("text", fmt.Sprintf("must not be longer than %d bytes", maxText))
	case !slices.Contains(sources, in.Source):
		return badRequest.with("source", sources)
	case !slices.ContainsFunc(lanes, func(l Lane) bool { return l.Name == in.Lane }):
		return noLane.with("lane", in.Lane)
	}
	return c.settle(w, r, func(ctx context.Context) (desk.Result, error) {
		return c.desk.Present(ctx, in.Lane, in.Source, in.Text)
	})
}

// postAnswer settles a question: one document, several, agreement, or a refusal.
func (c *Console) postAnswer(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Document  string   `json:"document"`
		Documents []string `json:"documents"`
		Confirm   bool     `json:"confirm"`
		Refuse    bool     `json:"refuse"`
	}
	if err := c.decode(w, r, &in); err != nil {
		return err
	}
	if in.Document != "" {
		if len(in.Documents) > 0 {
			return badRequest.with("document", "give either document or documents")
		}
		in.Documents = []string{in.Document}
	}
	said := 0
	for _, yes := range []bool{len(in.Documents) > 0, in.Confirm, in.Refuse} {
		if yes {
			said++
		}
	}
	if said != 1 {
		return badRequest.with("document", "give either documents, or confirm: true, or refuse: true")
	}
	if id := c.unknownDocument(in.Documents); id != "" {
		return noDocument.with("document", id)
	}
	return c.settle(w, r, func(ctx context.Context) (desk.Result, error) {
		if in.Confirm {
			return c.lanes.Confirm(ctx, r.PathValue("id"))
		}
		return c.lanes.Answer(ctx, r.PathValue("id"), in.Documents, in.Refuse)
	})
}

// postAnnul takes an admission back. The body is empty, or an empty object.
func (c *Console) postAnnul(w http.ResponseWriter, r *http.Request) error {
	if err := c.decode(w, r, &struct{}{}); err != nil {
		return err
	}
	return c.settle(w, r, func(ctx context.Context) (desk.Result, error) {
		return c.lanes.Annul(ctx, r.PathValue("id"))
	})
}

// settle has the desk decide and answers with what came of it. The decision is
// not tied to the request: a page that was closed in the middle must not leave
// a person at a gate half decided.
func (c *Console) settle(w http.ResponseWriter, r *http.Request, decide func(context.Context) (desk.Result, error)) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), presentTimeout)
	defer cancel()
	result, err := decide(ctx)
	if err != nil {
		return deskFailure(err)
	}
	c.answer(w, http.StatusOK, result)
	return nil
}

// decode reads one JSON object and nothing after it. An empty body is the
// empty object.
func (c *Console) decode(w http.ResponseWriter, r *http.Request, into any) error {
	if !jsonBody(r) {
		return &badContentType
	}
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err == nil {
		if _, err = d.Token(); errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = errors.New("more than one value")
		}
	}
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return bodyTooLarge.with("limit", tooLarge.Limit)
	}
	return badJSON.with("problem", err.Error())
}
