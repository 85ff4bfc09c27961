package api

import (
	"context"
	"net/http"

	"campusgate/server/alert"
	"campusgate/server/auth"
	"campusgate/server/backup"
	"campusgate/server/retention"
	"campusgate/server/store"
)

// Keeping is how the data are kept.
type Keeping struct {
	Backup  backup.Standing    `json:"backup"`
	Unheard []uint32           `json:"unheard" doc:"agents of whom a restored server has yet to hear; until then it decides no pass in their place"`
	Gaps    []store.JournalGap `json:"gaps" doc:"events that nobody has any more"`
	Webhook alert.Deliveries   `json:"webhook"`
	Days    retention.Policy   `json:"days" doc:"how long each class is kept; 0 = for ever"`
}

type eraseInput struct {
	Number string `path:"number" maxLength:"64"`
	Body   struct {
		Reason string `json:"reason" minLength:"2" maxLength:"200" doc:"who asked, and when; it is kept, so name nobody"`
	}
}

type keepingOutput struct{ Body Keeping }

func (a *API) keepingRoutes() {
	add(a, route{
		method: http.MethodGet, path: prefix + "/keeping", scope: auth.AuditRead, id: "get-keeping",
		text: "备份与保存 Backups, and what a restore left open",
	}, a.keeping)
	add(a, route{
		method: http.MethodPost, path: prefix + "/people/{number}/erase", scope: auth.Admin, id: "erase-person", status: http.StatusNoContent,
		text:   "清除个人信息 Take away for ever what says who a person was; refused while something of theirs is open",
		errors: []int{http.StatusNotFound, http.StatusConflict},
	}, func(ctx context.Context, in *eraseInput) (*struct{}, error) {
		return nil, a.Retention.Erase(ctx, caller(ctx).Actor, in.Number, in.Body.Reason)
	})
}

func (a *API) keeping(ctx context.Context, _ *struct{}) (*keepingOutput, error) {
	k := Keeping{Days: a.Retention.Policy}
	var err error
	if k.Backup, err = a.Backup.Status(ctx); err != nil {
		return nil, err
	}
	if k.Unheard, err = a.Store.Unheard(ctx); err != nil {
		return nil, err
	}
	if k.Webhook, err = a.Alert.Standing(ctx); err != nil {
		return nil, err
	}
	k.Gaps, err = a.Store.Gaps(ctx)
	return &keepingOutput{k}, err
}
