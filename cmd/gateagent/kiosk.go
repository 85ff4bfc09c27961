package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// errNoBrowser: none of the known ones is installed.
var errNoBrowser = errors.New("no browser found: install chromium")

// browsers take the flags below.
var browsers = []string{"chromium", "chromium-browser", "google-chrome", "microsoft-edge", "msedge", "chrome"}

// kiosk waits for the page and shows it over the whole screen, again whenever
// the browser ends, until ctx does.
func kiosk(ctx context.Context, env Env, o options) error {
	u, err := url.Parse(o.url)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("-url %q: want http://127.0.0.1:8471/", o.url)
	}
	var browser string
	for _, name := range browsers {
		if path, err := exec.LookPath(name); err == nil {
			browser = path
			break
		}
	}
	if browser == "" {
		return errNoBrowser
	}
	profile, err := os.UserCacheDir()
	if err != nil {
		return err
	}
	if err := answering(ctx, o.url); err != nil {
		return nil // told to end while waiting
	}
	for {
		// A profile of its own: no bubble about an earlier session, no extensions,
		// and sound without a first click.
		cmd := exec.CommandContext(ctx, browser, "--kiosk", "--no-first-run", "--noerrdialogs", "--disable-session-crashed-bubble",
			"--disable-features=Translate", "--autoplay-policy=no-user-gesture-required", "--password-store=basic",
			"--user-data-dir="+filepath.Join(profile, "campusgate-kiosk"), "--app="+o.url)
		cmd.Stdout, cmd.Stderr = env.Stdout, env.Stderr
		err := cmd.Run()
		if ctx.Err() != nil {
			return nil
		}
		_, _ = fmt.Fprintf(env.Stderr, "gateagent: the browser ended: %v\n", err)
		if !pause(ctx, 2*time.Second) {
			return nil
		}
	}
}

// answering waits until the page is there: the PC starts both at once.
func answering(ctx context.Context, page string) error {
	client := http.Client{Timeout: 2 * time.Second}
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, page, nil)
		if err != nil {
			return err
		}
		if res, err := client.Do(req); err == nil {
			_ = res.Body.Close()
			return nil
		}
		if !pause(ctx, time.Second) {
			return ctx.Err()
		}
	}
}

// pause reports that ctx did not end meanwhile.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
