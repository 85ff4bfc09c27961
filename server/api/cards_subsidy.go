package api

import (
	"context"
	"net/http"

	"campusgate/server/auth"
	"campusgate/server/cards"
	"campusgate/server/people"
	"campusgate/server/people/sheet"
)

// SubsidyBatch is subsidies that were asked for together.
type SubsidyBatch struct {
	ID           string `json:"id"`
	Name         string `json:"name" doc:"what holders read"`
	ExpiresOn    string `json:"expires_on" doc:"last day"`
	CreatedBy    string `json:"created_by"`
	CreatedAt    int64  `json:"created_at"`
	ConfirmedBy  string `json:"confirmed_by,omitempty"`
	ConfirmedAt  int64  `json:"confirmed_at,omitempty" doc:"absent = a preview, for a day"`
	DoneAt       int64  `json:"done_at,omitempty" doc:"absent = not all are granted yet"`
	Faulty       int    `json:"faulty" doc:"rows of the file that are left out"`
	Cards        int    `json:"cards"`
	TotalFen     int64  `json:"total_fen"`
	Granted      int    `json:"granted"`
	Skipped      int    `json:"skipped" doc:"cards that were closed in between"`
	RemainingFen int64  `json:"remaining_fen" doc:"not spent when each card was last looked at"`
}

// SubsidyPreview is a batch with what is wrong in its file.
type SubsidyPreview struct {
	SubsidyBatch
	Faults []ImportFault `json:"faults" doc:"one for every faulty row"`
}

// SubsidyRequest asks for subsidies: as the file says, or as much for everybody
// of a kind and unit.
type SubsidyRequest struct {
	ID        string `json:"id" maxLength:"64" doc:"made by the caller: the same request again is the same batch"`
	Name      string `json:"name"`
	ExpiresOn string `json:"expires_on" maxLength:"10" doc:"last day"`
	File      []byte `json:"file,omitempty" doc:"csv or xlsx, base64: 学工号, 姓名 (may be left out), 金额 in yuan"`
	Fen       int64  `json:"fen,omitempty" doc:"for each, without a file"`
	Kind      string `json:"kind,omitempty" enum:",staff,contract,worker,retired,student,resident,outside"`
	Unit      string `json:"unit,omitempty" maxLength:"64" doc:"id; those below count as well"`
}

type (
	subsidyInput struct{ Body SubsidyRequest }
	confirmInput struct {
		ID   string `path:"id" maxLength:"64"`
		Body struct {
			SkipFaulty bool `json:"skip_faulty,omitempty" doc:"leave out the rows with a fault"`
		}
	}
	subsidyPreviewOutput struct{ Body SubsidyPreview }
	subsidyOutput        struct{ Body SubsidyBatch }
)

// maxBatches is more than anybody looks through.
const maxBatches = 200

func (a *API) subsidyRoutes() {
	add(a, route{
		method: http.MethodPost, path: prefix + "/subsidies", scope: auth.Cards, also: auth.Finance, id: "plan-subsidies", status: http.StatusCreated,
		body: sheet.MaxBytes*4/3 + 64<<10, errors: []int{http.StatusConflict},
		text: "补助发放预览 Look over subsidies; nothing is granted until it is confirmed, within a day",
	}, a.planSubsidies)
	add(a, route{
		method: http.MethodPost, path: prefix + "/subsidies/{id}/confirm", scope: auth.Cards, also: auth.Finance, id: "confirm-subsidies",
		text: "确认发放 Grant them", errors: []int{http.StatusNotFound, http.StatusConflict, http.StatusGone},
	}, a.confirmSubsidies)
	add(a, route{
		method: http.MethodGet, path: prefix + "/subsidies", scope: auth.Cards, also: auth.Finance, id: "list-subsidies",
		text: "补助批次 The newest batches of subsidies",
	}, a.listSubsidies)
}

func subsidyBatch(b cards.Batch) SubsidyBatch { return SubsidyBatch(b) }

func (a *API) planSubsidies(ctx context.Context, in *subsidyInput) (*subsidyPreviewOutput, error) {
	r := in.Body
	b, faults, err := a.Cards.Plan(ctx, caller(ctx).Actor, cards.SubsidyRequest{
		ID: r.ID, Name: r.Name, ExpiresOn: r.ExpiresOn, File: r.File, Fen: r.Fen, Kind: people.Kind(r.Kind), Unit: r.Unit,
	})
	return &subsidyPreviewOutput{SubsidyPreview{
		subsidyBatch(b), mapped(faults, func(f people.RowFault) ImportFault { return ImportFault(f) }),
	}}, err
}

func (a *API) confirmSubsidies(ctx context.Context, in *confirmInput) (*subsidyOutput, error) {
	b, err := a.Cards.Confirm(ctx, caller(ctx).Actor, in.ID, in.Body.SkipFaulty)
	return &subsidyOutput{subsidyBatch(b)}, err
}

func (a *API) listSubsidies(ctx context.Context, _ *struct{}) (*itemsOutput[SubsidyBatch], error) {
	all, err := a.Cards.Batches(ctx, maxBatches)
	return whole(mapped(all, subsidyBatch)), err
}
