package api

import (
	"context"
	"net/http"

	"campusgate/server/apply"
	"campusgate/server/auth"
)

type settingsOutput struct{ Body apply.Settings }

func (a *API) settingsRoutes() {
	add(a, route{
		method: http.MethodGet, path: prefix + "/settings", scope: auth.SettingsWrite, id: "get-settings", text: "校园设置 The rules of the campus",
	}, func(ctx context.Context, _ *struct{}) (*settingsOutput, error) {
		v, err := a.Apply.Settings(ctx)
		return &settingsOutput{v}, err
	})
	add(a, route{
		method: http.MethodPut, path: prefix + "/settings", scope: auth.SettingsWrite, id: "put-settings",
		text: "修改校园设置 Change the rules of the campus, for what is submitted from now on",
	}, func(ctx context.Context, in *settingsOutput) (*settingsOutput, error) {
		return in, a.Apply.PutSettings(ctx, caller(ctx).Actor, in.Body)
	})
}
