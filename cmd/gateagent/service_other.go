//go:build !windows

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"

	"campusgate/cmd/internal/install"
)

// errForeign: neither systemd nor Windows.
var errForeign = errors.New("install works on Linux with systemd and on Windows")

// underServiceManager is a matter of Windows: systemd speaks through the
// environment.
func underServiceManager() bool { return false }

func runService(env Env, args []string) int { return run(context.Background(), env, args) }

func plan(env Env, o options) (install.Options, error) {
	if runtime.GOOS != "linux" {
		return install.Options{}, errForeign
	}
	self, err := os.Executable()
	return install.Options{Root: env.Root, UID: env.UID, Run: env.Run, Out: env.Stdout, Binary: self, User: o.user, Kiosk: o.kiosk}, err
}

// installs makes the agent a service of this PC.
func installs(ctx context.Context, env Env, o options) error {
	settings, file, err := configured(o)
	if err != nil {
		return err
	}
	p, err := plan(env, o)
	if err != nil {
		return err
	}
	p.Config, p.Data, p.Page = file, settings.Data, "http://"+settings.Listen+"/"
	return install.Install(ctx, p)
}

// uninstalls takes back what installs did.
func uninstalls(ctx context.Context, env Env, o options) error {
	p, err := plan(env, o)
	if err != nil {
		return err
	}
	if err := install.Uninstall(ctx, p); err != nil {
		return fmt.Errorf("uninstall: %w", err)
	}
	return nil
}
