package web_test

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// What the server tells a guard about a pass: VERDICT, PASS, DOCUMENTS and TICKET
// are of the state.
const lookJSON = `{"verdict":VERDICT,"pass":PASS,"holder":null,"gate":{"id":1,"name":"东门"},"decider":1,"documents":DOCUMENTS,"ticket":"TICKET","event_id":""}`

const (
	guardJSON   = `{"id":"T1004","name":"张卫国","kind":"staff","scopes":["guard"],"posts":[],"must_change":false}`
	lookedPass  = `{"id":"00000000000000a1","kind":"resident_single","name":"林晓岚","doc4":"0420","from":"2026-11-22","until":"2026-11-22","uses":1,"used":0}`
	grantedJSON = `{"reason":"granted","kind":"granted","need":"","text":{"zh":{"word":"通过","title":"请通行","next":""},"en":{"word":"Pass","title":"Go ahead","next":""}}}`
	usedJSON    = `{"reason":"already_used","kind":"denied","need":"","first":{"at":1795300000000,"gate":2},"text":{"zh":{"word":"拒绝","title":"已使用过","next":"请联系社区办"},"en":{"word":"Denied","title":"Used before","next":"Ask the community office"}}}`
	askJSON     = `{"reason":"needs_input","kind":"needs_input","need":"document","text":{"zh":{"word":"核对","title":"核对证件","next":""},"en":{"word":"Check","title":"Check the document","next":""}}}`
	shownJSON   = `[{"id":"id_card","zh":"身份证","en":"Identity card"},{"id":"work_card","zh":"工作证","en":"Staff card"}]`
)

func lookOf(verdict, documents, ticket string) string {
	return strings.NewReplacer("VERDICT", verdict, "PASS", lookedPass, "DOCUMENTS", documents, "TICKET", ticket).Replace(lookJSON)
}

// verifyStates are the states of the page behind the address in a code.
var verifyStates = []struct{ name, me, look, ready string }{
	{"stranger", phoneSignedOut, "", `document.querySelector('ol')`},
	{"no-guard", strings.Replace(guardJSON, `"guard"`, `"apply"`, 1), "", `document.querySelector('[role=alert]')`},
	{"look", guardJSON, lookOf(askJSON, shownJSON, "t1"), `document.querySelectorAll('fieldset input').length === 2`},
	{"genuine", guardJSON, lookOf(grantedJSON, "null", "t1"), `document.querySelector('main[data-stage=look] .go')`},
	{"admitted", guardJSON, lookOf(grantedJSON, "null", ""), `document.querySelector('[data-face=granted]')`},
	{"refused", guardJSON, lookOf(usedJSON, "null", ""), `document.querySelector('[data-face=denied]')`},
	{"failed", guardJSON, `503 {"code":"busy","message":"服务繁忙,请稍后再试 The server is busy, try again later","details":{},"request_id":"r1"}`, `document.querySelector('[role=alert]')`},
}

// The page of a pass, in every state, both languages and both schemes: axe finds
// nothing, targets can be hit, it fits the smallest phone, no other host is asked.
func TestVerify_EveryStateInEveryDress(t *testing.T) {
	t.Parallel()
	srv := newPhoneServer(t)
	p := openPhone(t, srv)
	ahead(t, p.ctx, axeSource(t))
	for _, lang := range []string{"zh", "en"} {
		for _, scheme := range []string{"light", "dark"} {
			if !worn(lang, scheme) {
				continue
			}
			p.dress(lang, scheme)
			for _, s := range verifyStates {
				undo := srv.set("GET /me", s.me)
				done := srv.set("POST /verify", s.look)
				p.do(chromedp.Navigate(srv.URL + "/V/QFXHG4A"))
				p.until(s.ready)
				p.judge("verify-" + s.name + "-" + lang + "-" + scheme)
				if at := eval[string](t, p.ctx, `location.pathname`); at != "/V/" {
					t.Errorf("%s: the address is still %s", s.name, at)
				}
				undo()
				done()
			}
		}
	}
	p.clean()
}
