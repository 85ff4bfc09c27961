package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"campusgate/agent"
)

// maxAnswer bounds what a console says.
const maxAnswer = 16 << 20

// ask asks the agent that runs with these settings. in is sent as JSON, nil =
// no body; out is filled from JSON, or is an io.Writer that gets the body.
func ask(ctx context.Context, s agent.Settings, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://"+s.Listen+path, body)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	client := http.Client{Timeout: 15 * time.Second}
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		var failure struct {
			Code    string `json:"code"`
			Message string `json:"message"`
		}
		if json.Unmarshal(data, &failure) != nil {
			failure.Code = res.Status
		}
		return fmt.Errorf("the agent answers %s: %s", failure.Code, failure.Message)
	}
	switch out := out.(type) {
	case nil:
		return nil
	case io.Writer:
		_, err = out.Write(data)
		return err
	default:
		return json.Unmarshal(data, out)
	}
}
