package web_test

import (
	"strings"
	"testing"
)

// Whoever handles a step adds files to it, and keeps what is filled in for later.
func TestPhone_AStepIsSavedAndTakesFiles(t *testing.T) {
	srv := newPhoneServer(t)
	p := openPhone(t, srv)
	p.dress("zh", "light")
	pending := strings.ReplaceAll(srv.said("GET /applications/m5"), `"actions":["transfer","add_sign","cc"]}`, `"actions":["transfer","add_sign","cc","save"]}`)
	pending = strings.ReplaceAll(pending, `"handler":"required"`, `"handler":""`)
	srv.set("GET /applications/m5", pending)
	srv.set("POST /applications/m5/act", pending)
	srv.set("POST /attachments", `201 {"id":"f9","name":"现场照片.pdf","size":2048,"type":"application/pdf"}`)
	p.open("/applications/m5", `document.querySelector('.handle')`)
	eval[bool](t, p.ctx, `(() => {
		const before = window.fetch
		window.sent = []
		window.fetch = (to, how) => { if (how?.method === 'POST') window.sent.push(how.body); return before(to, how) }
		const input = document.querySelector('.handle input[type=file]'), files = new DataTransfer()
		files.items.add(new File(['x'], '现场照片.pdf', { type: 'application/pdf' }))
		input.files = files.files
		return input.dispatchEvent(new Event('change'))
	})()`)
	p.says("现场照片.pdf")
	p.judge("handle-file-zh-light")
	p.fill("textarea[name=opinion]", "材料待补")
	p.tap("暂存")
	p.says("已暂存")
	eval[bool](t, p.ctx, `document.querySelector('.handle .pick-button').click(), true`)
	p.tap("学工部同意")
	srv.set("POST /applications/m5/act", srv.said("GET /applications/m1"))
	p.tap("同意")
	p.until(`!document.querySelector('.handle')`)
	sent := eval[[]string](t, p.ctx, `window.sent.map((s) => JSON.stringify(JSON.parse(s)))`)
	want := []string{
		`{"verb":"save","task":"t1","form":{},"opinion":"材料待补"}`,
		`{"verb":"decide","task":"t1","outcome":"agree","opinion":"材料待补","form":{},"attachments":["f9"],"next":"xgb"}`,
	}
	if strings.Join(sent, "\n") != strings.Join(want, "\n") {
		t.Errorf("sent\n%s\nwant\n%s", strings.Join(sent, "\n"), strings.Join(want, "\n"))
	}
	p.clean()
}
