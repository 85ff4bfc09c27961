package api

import (
	"context"
	"net/http"

	"campusgate/server/alert"
	"campusgate/server/auth"
)

type outagesInput struct {
	All   bool `query:"all" doc:"also those that are over"`
	Limit int  `query:"limit" minimum:"1" maximum:"1000" default:"100"`
}

type outagesOutput struct {
	Body struct {
		Outages []alert.Outage `json:"outages" doc:"newest first"`
	}
}

func (a *API) outageRoutes() {
	add(a, route{
		method: http.MethodGet, path: prefix + "/outages", scope: auth.AgentsRead, id: "list-outages",
		text: "设备故障 Devices that are down for too long while their gate is open",
	}, func(ctx context.Context, in *outagesInput) (*outagesOutput, error) {
		found, err := a.Alert.Outages(ctx, in.All, in.Limit)
		out := &outagesOutput{}
		if out.Body.Outages = found; found == nil {
			out.Body.Outages = []alert.Outage{}
		}
		return out, err
	})
}
