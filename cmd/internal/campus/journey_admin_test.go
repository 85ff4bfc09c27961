package campus_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"campusgate/cmd/internal/campus"
)

// The link of the installation makes the first administrator, in the browser,
// once; its key stays in no address. What the administrator then opens in the
// console works over the server as it is, and has rows where rows must be.
func TestJourney_AdminLinkOfTheInstallationOpensTheConsole(t *testing.T) {
	t.Parallel()
	c, _ := populated(t)
	code := happened(t, c)
	p := office(t, chromium(t), c.Client.Base)
	key, found := strings.CutPrefix(c.AdminLink, c.Client.Base+"/console/?key=")
	if !found || key == "" {
		t.Fatalf("the link is not to the console: %.40q", c.AdminLink)
	}
	p.open("/console/?key=" + key)
	p.enter(`#link-number`, "T9001")
	p.enter(`#link-name`, "安装员")
	p.enter(`#password-new`, ownPassword)
	p.enter(`#password-again`, ownPassword)
	p.tap("创建并登录")
	p.until(`location.pathname === '/console/' && document.querySelector('nav')?.innerText.includes('流程')`)
	if at := eval[string](p, `location.href + JSON.stringify(history.state)`); strings.Contains(at, key) {
		t.Error("the key is still in the address")
	}
	me := eval[[]string](p, `fetch('/api/v1/me').then((r) => r.json()).then((me) => [me.number, ...me.scopes])`)
	if me[0] != "T9001" || !slices.Contains(me, "admin") {
		t.Errorf("signed in as %v", me)
	}

	again := campus.Client{Base: c.Client.Base}
	var refused *campus.Refusal
	err := again.Do(t.Context(), http.MethodPost, "/api/v1/login/link", map[string]string{
		"key": key, "number": "T9002", "name": "又一人", "password": "another-71-over-the-gate",
	}, nil)
	if !errors.As(err, &refused) || refused.Status != http.StatusConflict {
		t.Errorf("the link again: %v", err)
	}

	administers(t, p, c, code)
}
