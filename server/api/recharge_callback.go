package api

import (
	"context"
	"io"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"campusgate/server/store"
)

// Notices of channels come here.
const callbackPath = prefix + "/recharge/callbacks/{channel}"

// maxNotice is more than any notice has.
const maxNotice = 64 << 10

// callbackRoute takes notices as they are: the signature is over the bytes. It is
// documented by hand, since each channel has a form of its own, of the notice and
// of the answer.
func (a *API) callbackRoute() {
	a.mux.HandleFunc("POST "+callbackPath, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxNotice))
		if err != nil {
			a.write(w, libraryProblem(r.Context(), http.StatusRequestEntityTooLarge, nil))
			return
		}
		// The channel may hang up; what it said is stored all the same.
		answer, known := a.Recharge.Callback(context.WithoutCancel(r.Context()), r.PathValue("channel"), r.Header, body)
		if !known {
			a.write(w, a.problem(r.Context(), store.ErrNotFound))
			return
		}
		if answer.Type != "" {
			w.Header().Set("Content-Type", answer.Type)
		}
		w.WriteHeader(answer.Status)
		if _, err := io.WriteString(w, answer.Body); err != nil {
			a.Log.Debug("answer not written", "err", err)
		}
	})
	text := map[string]*huma.MediaType{"text/plain": {Schema: &huma.Schema{Type: huma.TypeString}}}
	object := map[string]*huma.MediaType{jsonType: {}}
	a.OpenAPI().AddOperation(&huma.Operation{
		OperationID: "recharge-callback", Method: http.MethodPost, Path: callbackPath,
		Summary:    "支付渠道的通知 A notice of a payment channel, in the channel's own form",
		Parameters: []*huma.Param{{Name: "channel", In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString}}},
		RequestBody: &huma.RequestBody{Content: map[string]*huma.MediaType{
			"*/*": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}},
		}},
		Responses: map[string]*huma.Response{
			"200": {Description: "said in the channel's own words: taken, or not", Content: text},
			"204": {Description: "taken"},
			"400": {Description: "not taken", Content: object},
			"404": {Description: "no such channel", Content: object},
			"413": {Description: "too large", Content: object},
		},
	})
}
