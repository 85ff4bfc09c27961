package api

import (
	"context"
	"net/http"

	"campusgate/server/apply"
	"campusgate/server/auth"
	"campusgate/signing"
)

// MyPass is a pass as its holder sees it.
type MyPass struct {
	Pass
	Mine        bool   `json:"mine" doc:"applied for by me; else it is my household's"`
	Application string `json:"application"`
	Serial      string `json:"serial" doc:"of the application"`
	Phone       string `json:"phone" doc:"id of the phone key that stands for a bound pass; empty = no phone has it yet"`
	Warning     string `json:"warning" doc:"what the holder must know; empty = nothing"`
}

type myPassesOutput struct {
	Body struct {
		Items []MyPass `json:"items"`
	}
}

type liveOutput struct {
	Body struct {
		Code      string `json:"code" doc:"CP1: text, to be shown at once"`
		ExpiresAt int64  `json:"expires_at"`
	}
}

// maxMyPasses is more than anybody looks through.
const maxMyPasses = 100

// bearerWarning stands beside a static code.
const bearerWarning = "本码限一人使用一次,先出示者先使用,请勿转发;入校时须同时出示有效证件。" +
	" One person, one entry: whoever shows it first uses it. Do not pass it on, and bring your document."

func (a *API) myPassRoutes() {
	add(a, route{
		method: http.MethodGet, path: prefix + "/me/passes", scope: auth.Self, id: "my-passes", text: "我的通行码 My passes, and my household's",
	}, a.myPasses)
	add(a, route{
		method: http.MethodGet, path: prefix + "/me/passes/{id}/live", scope: auth.Self, id: "live-code",
		text:   "两分钟有效的通行码 A two-minute code of a pass of mine, for a browser without a key store",
		errors: []int{http.StatusNotFound, http.StatusConflict},
	}, a.liveCode)
}

type hereInput struct{ address }

func (a *API) myPasses(ctx context.Context, in *hereInput) (*myPassesOutput, error) {
	who := caller(ctx).Person
	held, err := a.Apply.Passes(ctx, who, maxMyPasses)
	if err != nil {
		return nil, err
	}
	gates, err := a.Store.Gates(ctx)
	if err != nil {
		return nil, err
	}
	names := map[uint16]string{}
	for _, g := range gates {
		names[g.ID] = g.Name
	}
	there, out := a.Hub.Connected(), &myPassesOutput{}
	out.Body.Items = mapped(held, func(h apply.Held) MyPass {
		p := MyPass{
			Pass: a.passBody(h.PassStatus, in.address), Mine: h.Person == who, Application: h.Application, Serial: h.Serial,
			Phone: h.Phone,
		}
		p.OwnerName = names[h.Decider()]
		_, p.OwnerHere = there[h.Decider()]
		p.Movable = p.Movable && h.Kind == signing.ResidentSingle
		if !h.Bound {
			p.Warning = bearerWarning
		}
		return p
	})
	return out, nil
}

func (a *API) liveCode(ctx context.Context, in *PassPath) (*liveOutput, error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	text, expires, err := a.Apply.Live(ctx, caller(ctx).Person, id)
	if err != nil {
		return nil, err
	}
	out := &liveOutput{}
	out.Body.Code, out.Body.ExpiresAt = text, expires*1000
	return out, nil
}
