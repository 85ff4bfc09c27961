package api

import (
	"context"
	"net/http"

	"campusgate/server/auth"
	"campusgate/server/backup"
	"campusgate/server/store"
)

// Keeping is how the data are kept.
type Keeping struct {
	Backup  backup.Standing `json:"backup"`
	Unheard []uint32      `json:"unheard" doc:"agents of whom a restored server has yet to hear; until then it decides no pass in their place"`
	Gaps    []store.JournalGap   `json:"gaps" doc:"events that nobody has any more"`
}

type keepingOutput struct{ Body Keeping }

func (a *API) keepingRoutes() {
	add(a, route{
		method: http.MethodGet, path: prefix + "/keeping", scope: auth.AuditRead, id: "get-keeping",
		text: "备份与保存 Backups, and what a restore left open",
	}, a.keeping)
}

func (a *API) keeping(ctx context.Context, _ *struct{}) (*keepingOutput, error) {
	var k Keeping
	var err error
	if k.Backup, err = a.Backup.Status(ctx); err != nil {
		return nil, err
	}
	if k.Unheard, err = a.Store.Unheard(ctx); err != nil {
		return nil, err
	}
	k.Gaps, err = a.Store.Gaps(ctx)
	return &keepingOutput{k}, err
}
