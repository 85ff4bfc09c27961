package api_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"testing"

	"campusgate/configs"
	"campusgate/server/api"
	"campusgate/server/apply"
	"campusgate/server/people"
	"campusgate/signing/code"
)

// settle brings the invented campus of configs/people into a world, with a gate
// in A; it gives a session by number, or by phone.
func (w *world) settle(t testing.TB) func(string) string {
	t.Helper()
	files, err := configs.People()
	ok(t, err)
	for _, f := range files {
		kind := people.ImportKind(f.Kind)
		p, err := w.staff.Import(t.Context(), people.By{Actor: "test"}, kind, f.Name, f.Data)
		ok(t, err)
		_, err = w.staff.Confirm(t.Context(), people.By{Actor: "test"}, p.ID, kind == people.ImportPosts)
		ok(t, err)
	}
	w.gate(t, "东门", 1)
	return func(who string) string {
		t.Helper()
		if p, err := w.staff.ByPhone(t.Context(), w.db.Reader(), who); err == nil {
			who = p.ID
		}
		return w.enter(t, who)
	}
}

func atHome(date string) map[string]any {
	return map[string]any{"type": "single", "head": "林国栋", "compound": "松林坡", "building": "3栋", "room": "201", "date": date}
}

func request(flow string, form map[string]any) map[string]any {
	return map[string]any{"flow": flow, "form": form, "submit": true}
}

// as makes a call and requires a status.
func (w *world) as(t testing.TB, who string, status int, method, path string, body, out any) reply {
	t.Helper()
	r := w.call(t, who, method, path, body)
	if r.status != status {
		t.Fatalf("%s %s: %d, want %d: %s", method, path, r.status, status, r.body)
	}
	if out != nil {
		r.into(t, out)
	}
	return r
}

func TestApply_CQ004_CQ043_CQ044_CQ051_TheFormOfAResident(t *testing.T) {
	w := newWorld(t)
	enter := w.settle(t)
	lin := enter("13800130021")
	var blank apply.Blank
	w.as(t, lin, 200, "GET", "/api/v1/services/cqu.resident_pass", nil, &blank)
	fields := map[string]apply.FormField{}
	for _, f := range blank.Form {
		fields[f.ID] = f
	}
	if f := fields["phone"]; f.Value != "13800130021" || !f.Readonly || f.Name != "手机号" {
		t.Errorf("phone %+v", f)
	}
	if f := fields["type"]; !f.Required || len(f.Options) != 2 || f.Options[0].Label != "单次通行证明" || f.Options[1].Label != "多次通行" || f.EN == "" {
		t.Errorf("type %+v", f)
	}
	if f := fields["compound"]; len(f.Options) != 8 {
		t.Errorf("compound %+v", f.Options)
	}
	for id, name := range map[string]string{
		"head": "户主姓名", "compound": "小区名称", "building": "楼栋号", "room": "门牌号", "date": "通行日期", "reason": "申请原因", "created": "创建时间",
	} {
		if fields[id].Name != name {
			t.Errorf("%s is called %q, want %q", id, fields[id].Name, name)
		}
	}
	if f := fields["head"]; f.Value != "林国栋" || fields["room"].Value != "201" {
		t.Errorf("the household that is known is not filled in: %+v", f)
	}
	if l := blank.Limits; l == nil || l.FirstDate != "2026-11-21" || l.LastDate != "2026-11-23" || l.MultiDaysMax != 7 {
		t.Errorf("limits %+v", l)
	}
	if f := fields["created"]; f.Value != "2026-11-21 12:00:00" || f.Max != 0 && f.Max < 19 {
		t.Errorf("created %+v", f)
	}
	if fields["reason"].Max != 1000 || fields["reason"].RequiredIf {
		t.Errorf("reason %+v", fields["reason"])
	}
	w.refused(t, w.call(t, lin, "GET", "/api/v1/services/no.such", nil), 404, "not_found")
}

func TestApply_CQ003_CQ053_CQ054_CQ056_FromFormToCode(t *testing.T) {
	w := newWorld(t)
	enter := w.settle(t)
	lin, xu, other := enter("13800130021"), enter("13800130022"), enter("13800130024")
	var a apply.Application
	w.as(t, lin, 201, "POST", "/api/v1/applications", request("cqu.resident_pass", atHome("2026-11-22")), &a)
	if a.State != "completed" || a.StateName != "已审核" || a.Pass == nil || a.Pass.Kind != "resident_single" {
		t.Fatalf("application %+v", a.Row)
	}
	var passes struct{ Items []api.MyPass }
	w.as(t, lin, 200, "GET", "/api/v1/me/passes", nil, &passes)
	if len(passes.Items) != 1 {
		t.Fatalf("passes %+v", passes)
	}
	p := passes.Items[0]
	if p.ID != a.Pass.ID || p.State != "issued" || !p.Mine || p.OwnerName != "东门" || p.Application != a.ID || p.Warning == "" ||
		p.From != "2026-11-22T00:00:00+08:00" || p.Until != "2026-11-23T00:00:00+08:00" || !strings.HasPrefix(p.URL, w.URL+"/V/") {
		t.Errorf("pass %+v", p)
	}
	if read, err := code.Read(w.ring(t), p.Code); err != nil || read.Pass.ID.String() != p.ID {
		t.Errorf("code %v", err)
	}
	w.as(t, xu, 200, "GET", "/api/v1/me/passes", nil, &passes)
	if len(passes.Items) != 1 || passes.Items[0].Mine {
		t.Errorf("the household's: %+v", passes)
	}
	w.as(t, other, 200, "GET", "/api/v1/me/passes", nil, &passes)
	if len(passes.Items) != 0 {
		t.Errorf("somebody else's: %+v", passes)
	}
	r := w.call(t, xu, "POST", "/api/v1/applications", request("cqu.resident_pass", atHome("2026-11-22")))
	var no struct {
		Code, Message string
		Details       map[string]any
	}
	r.into(t, &no)
	if r.status != 409 || no.Code != "HOUSEHOLD_QUOTA_2D" || no.Details["next_date"] != "2026-11-24" ||
		!strings.Contains(no.Message, "按户每2天") || !strings.Contains(no.Message, "household") {
		t.Errorf("%d %s", r.status, r.body)
	}
	form := atHome("2026-11-22")
	delete(form, "head")
	r = w.call(t, xu, "POST", "/api/v1/applications", request("cqu.resident_pass", form))
	r.into(t, &no)
	if r.status != 422 || no.Code != "REQUIRED" || no.Details["field"] != "head" {
		t.Errorf("%d %s", r.status, r.body)
	}
	w.refused(t, w.call(t, other, "GET", "/api/v1/applications/"+a.ID, nil), 404, "not_found")
	w.refused(t, w.call(t, other, "POST", "/api/v1/applications/"+a.ID+"/act", map[string]any{"verb": "terminate"}), 404, "not_found")
	// The console takes it back, before its day: the household may apply again.
	w.as(t, w.token, 200, "POST", "/api/v1/passes/"+p.ID+"/revoke", map[string]any{"reason": "改期"}, nil)
	w.as(t, xu, 201, "POST", "/api/v1/applications", request("cqu.resident_pass", atHome("2026-11-22")), nil)
}

func TestApply_CQ003_ParallelSubmitsOfOneHousehold(t *testing.T) {
	w := newWorld(t)
	enter := w.settle(t)
	lin, xu, yang := enter("13800130021"), enter("13800130022"), enter("13800130024")
	home := map[string]any{"type": "single", "head": "杨素珍", "compound": "建工新村", "building": "2栋", "room": "101", "date": "2026-11-22"}
	var group sync.WaitGroup
	var mu sync.Mutex
	statuses := map[int]int{}
	send := func(who string, form map[string]any) {
		group.Go(func() {
			r := w.call(t, who, "POST", "/api/v1/applications", request("cqu.resident_pass", form))
			mu.Lock()
			defer mu.Unlock()
			statuses[r.status]++
			if r.status != 201 && !strings.Contains(string(r.body), "HOUSEHOLD_QUOTA_2D") {
				t.Errorf("%d %s", r.status, r.body)
			}
		})
	}
	for i := range 100 {
		if i%2 == 0 {
			send(lin, atHome("2026-11-22"))
		} else {
			send(xu, atHome("2026-11-23"))
		}
	}
	send(yang, home)
	group.Wait()
	if statuses[201] != 2 || statuses[409] != 99 {
		t.Fatalf("statuses %v: want one of each household", statuses)
	}
}

func TestApply_CQ071_CQ072_CQ076_CQ090_CM036_ReviewOverHTTP(t *testing.T) {
	w := newWorld(t)
	enter := w.settle(t)
	student, college, office, other := enter("S26002"), enter("T1001"), enter("T1009"), enter("T1003")
	form := map[string]any{"start": "2026-11-22", "end": "2026-11-28", "reason": "实验"}
	var preview struct {
		Steps []struct {
			ID     string
			People []apply.Who
		}
	}
	w.as(t, student, 200, "POST", "/api/v1/services/cqu.work_pass/preview", map[string]any{"form": form}, &preview)
	if len(preview.Steps) == 0 || preview.Steps[0].ID != "college" || preview.Steps[0].People[0].Name != "周敏" {
		t.Errorf("preview %+v", preview)
	}
	var a apply.Application
	w.as(t, student, 201, "POST", "/api/v1/applications", request("cqu.work_pass", form), &a)
	path := "/api/v1/applications/" + a.ID
	var list struct {
		Items  []apply.Row
		Total  int
		Counts map[string]int
	}
	w.as(t, college, 200, "GET", "/api/v1/applications?box=todo", nil, &list)
	if list.Total != 1 || list.Items[0].ID != a.ID || list.Counts["todo"] != 1 || list.Counts["done"] != 0 {
		t.Fatalf("list %+v", list)
	}
	w.as(t, college, 200, "GET", path, nil, &a)
	if a.Mine == nil || a.Mine.Next == nil || a.Mine.Next.Choose[0].To != "ygb" {
		t.Fatalf("mine %+v", a.Mine)
	}
	agree := map[string]any{"verb": "decide", "task": a.Mine.Task, "outcome": "agree", "opinion": "情况属实", "next": "ygb", "handler": "T1009"}
	w.refused(t, w.call(t, other, "POST", path+"/act", agree), 404, "not_found")
	w.as(t, college, 200, "POST", path+"/act", agree, &a)
	w.refused(t, w.call(t, college, "POST", path+"/act", agree), 409, "TASK_CLOSED")
	w.refused(t, w.call(t, student, "POST", path+"/act", map[string]any{"verb": "withdraw"}), 409, "ALREADY_REVIEWED")
	w.as(t, office, 200, "GET", path, nil, &a)
	w.as(t, office, 200, "POST", path+"/act", map[string]any{"verb": "decide", "task": a.Mine.Task, "outcome": "agree"}, &a)
	if a.State != "completed" || a.Pass == nil || a.Pass.Mine {
		t.Fatalf("application %+v", a.Row)
	}
	var messages int
	ok(t, w.db.Reader().QueryRowContext(t.Context(), "SELECT count(*) FROM messages WHERE person = 'S26002'").Scan(&messages))
	if messages == 0 {
		t.Error("the student was told nothing")
	}
	// The code: by the holder's own session only.
	var live struct {
		Code      string
		ExpiresAt int64 `json:"expires_at"`
	}
	pass := "/api/v1/me/passes/" + a.Pass.ID + "/live"
	w.refused(t, w.call(t, student, "GET", pass, nil), 409, "pass_early")
	w.now.Add(24 * 3600 * 1000)
	student, office = enter("S26002"), enter("T1009")
	w.as(t, student, 200, "GET", pass, nil, &live)
	read, err := code.Read(w.ring(t), live.Code)
	ok(t, err)
	if !read.Server || read.Pass.ID.String() != a.Pass.ID || live.ExpiresAt > w.now.Load()+120_000 {
		t.Errorf("live %+v", live)
	}
	w.refused(t, w.call(t, office, "GET", pass, nil), 404, "not_found")
	keys := "/api/v1/passes/" + a.Pass.ID + "/keys"
	w.refused(t, w.call(t, office, "POST", keys+"/nonce", nil), 404, "not_found")
	var mine struct{ Items []api.MyPass }
	w.as(t, student, 200, "GET", "/api/v1/me/passes", nil, &mine)
	if len(mine.Items) != 1 || !mine.Items[0].Mine || mine.Items[0].Phone != "" {
		t.Errorf("before a phone has it: %+v", mine.Items)
	}
	var nonce api.Nonce
	w.as(t, student, 201, "POST", keys+"/nonce", nil, &nonce)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ok(t, err)
	point, err := key.PublicKey.Bytes()
	ok(t, err)
	digest := sha256.Sum256(nonce.Message)
	x, y, err := ecdsa.Sign(rand.Reader, key, digest[:])
	ok(t, err)
	var given api.Credential
	w.as(t, student, 201, "POST", keys, map[string]any{
		"public_key": point, "proof": append(x.FillBytes(make([]byte, 32)), y.FillBytes(make([]byte, 32))...),
	}, &given)
	w.as(t, student, 200, "GET", "/api/v1/me/passes", nil, &mine)
	if len(mine.Items) != 1 || mine.Items[0].Phone != given.Phone {
		t.Errorf("on phone %s: %+v", given.Phone, mine.Items)
	}
}

func TestApply_TheSameKeyAnswersTheSame(t *testing.T) {
	w := newWorld(t)
	enter := w.settle(t)
	staff := enter("T1001")
	body := request("cqu.work_pass", map[string]any{"start": "2026-11-22", "end": "2026-11-23"})
	body["key"] = "k1"
	var first, again apply.Application
	w.as(t, staff, 201, "POST", "/api/v1/applications", body, &first)
	w.as(t, staff, 201, "POST", "/api/v1/applications", body, &again)
	if again.ID != first.ID {
		t.Errorf("%s and %s", first.ID, again.ID)
	}
	body["submit"] = false
	w.refused(t, w.call(t, staff, "POST", "/api/v1/applications", body), 409, "key_reused")
	body["key"] = "k2"
	w.as(t, staff, 201, "POST", "/api/v1/applications", body, &first)
	w.as(t, staff, 200, "POST", "/api/v1/applications/"+first.ID+"/act", map[string]any{"verb": "discard"}, &again)
	if again.State != apply.Discarded {
		t.Errorf("state %s", again.State)
	}
	w.refused(t, w.call(t, staff, "GET", "/api/v1/applications/"+first.ID, nil), 404, "not_found")
}

// hostile is what no field may stumble over.
var hostile = []string{
	"=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "-1", "\ttab", "\rreturn", "<script>alert(1)</script>", "'; DROP TABLE applications; --",
	strings.Repeat("名", 10_000), "👨‍👩‍👧‍👦", "\u202eevil", "a\u0000b", "\ufffd",
}

func TestApply_HostileTextInEveryField(t *testing.T) {
	w := newWorld(t)
	enter := w.settle(t)
	staff, lin := enter("T1001"), enter("13800130021")
	try := func(who, flow string, form map[string]any) {
		t.Helper()
		r := w.call(t, who, "POST", "/api/v1/applications", request(flow, form))
		switch {
		case r.status == 201:
			var a apply.Application
			r.into(t, &a)
			for _, f := range a.Form {
				if sent, ok := form[f.ID].(string); ok && !f.Readonly && f.Value != sent {
					t.Errorf("%s: %.40q was kept as %.40q", f.ID, sent, f.Value)
				}
			}
		case r.status != 409 && r.status != 422:
			t.Errorf("%s %.60v: %d %s", flow, form, r.status, r.body)
		}
	}
	for _, text := range hostile {
		for _, field := range []string{"start", "end", "reason", "no", "unit", "nosuch"} {
			form := map[string]any{"start": "2026-11-22", "end": "2026-11-23", "reason": "值班"}
			form[field] = text
			try(staff, "cqu.work_pass", form)
		}
		for field := range atHome("") {
			form := atHome("2026-11-22")
			form[field] = text
			try(lin, "cqu.resident_pass", form)
		}
		r := w.call(t, staff, "POST", "/api/v1/applications", map[string]any{"flow": text, "form": map[string]any{}, "key": "k", "cc": []string{text}})
		if r.status < 400 || r.status >= 500 {
			t.Errorf("flow %.40q: %d", text, r.status)
		}
	}
	for _, value := range []any{1, -1.5, true, nil, []any{}, []any{"x"}, map[string]any{"a": 1}, []any{[]any{[]any{}}}} {
		for _, field := range []string{"start", "reason", "type"} {
			try(staff, "cqu.work_pass", map[string]any{"start": "2026-11-22", "end": "2026-11-23", field: value})
		}
	}
	for _, raw := range []string{`{"flow":"cqu.work_pass","form":{"reason":"` + "\xff\xfe" + `"},"submit":true}`, `{"flow":"cqu.work_pass","form":[]}`, `{`, ``} {
		if r := w.call(t, staff, "POST", "/api/v1/applications", raw); r.status >= 500 {
			t.Errorf("%q: %d", raw, r.status)
		}
	}
	for _, verb := range []string{"", "delete", "remind", "print", "trace", strings.Repeat("x", 20)} {
		var a apply.Application
		w.as(t, staff, 201, "POST", "/api/v1/applications", map[string]any{"flow": "cqu.work_pass"}, &a)
		if r := w.call(t, staff, "POST", "/api/v1/applications/"+a.ID+"/act", map[string]any{"verb": verb}); r.status >= 500 {
			t.Errorf("verb %q: %d %s", verb, r.status, r.body)
		}
	}
}

// attach uploads an attachment.
func (w *world) attach(t testing.TB, who, name string, content []byte) reply {
	t.Helper()
	return w.send(t, who, "/api/v1/attachments", name, content)
}

func TestAttachments_OverHTTP(t *testing.T) {
	w := newWorld(t)
	enter := w.settle(t)
	staff, other := enter("T1001"), enter("T1003")
	pdf := []byte("%PDF-1.7\n…")
	r := w.attach(t, staff, "值班 安排.pdf", pdf)
	var f apply.FileOf
	if r.into(t, &f); r.status != 201 || f.Name != "值班 安排.pdf" || f.Type != "application/pdf" {
		t.Fatalf("%d %s", r.status, r.body)
	}
	got := w.as(t, staff, 200, "GET", "/api/v1/attachments/"+f.ID, nil, nil)
	if !bytes.Equal(got.body, pdf) || !strings.HasPrefix(got.header.Get("Content-Disposition"), "attachment;") ||
		got.header.Get("Content-Type") != "application/pdf" || got.header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("headers %v", got.header)
	}
	w.refused(t, w.call(t, other, "GET", "/api/v1/attachments/"+f.ID, nil), 404, "not_found")
	w.refused(t, w.attach(t, staff, "a.html", []byte("<script>")), 422, "invalid")
	w.refused(t, w.attach(t, staff, "big.pdf", append(pdf, make([]byte, apply.MaxAttachment)...)), 422, "invalid")
	if r := w.attach(t, staff, "huge.pdf", make([]byte, apply.MaxAttachment+1<<20)); r.status != 413 && r.status != 422 {
		t.Errorf("huge: %d %s", r.status, r.body)
	}
}

func TestFlows_OverHTTP(t *testing.T) {
	w := newWorld(t)
	text, err := fs.ReadFile(configs.Flows(), "passes.yaml")
	ok(t, err)
	var list struct{ Items []api.Flow }
	w.want(t, 200, "GET", "/api/v1/flows", nil, &list)
	if len(list.Items) != 3 || list.Items[0].ID != "cqu.resident_pass" || list.Items[0].Version != 1 || !list.Items[0].On || list.Items[0].PublishedAt == 0 {
		t.Fatalf("flows %+v", list)
	}
	file := map[string]any{"name": "mine.yaml", "yaml": strings.Replace(string(text), "name: 公务车通行申请", "name: 公务车入校申请", 1)}
	var check struct {
		Faults []struct {
			Line    int
			Message string
		}
		Flows []string
	}
	w.want(t, 200, "POST", "/api/v1/flows/check", file, &check)
	if len(check.Faults) != 0 || len(check.Flows) != 3 {
		t.Errorf("check %+v", check)
	}
	var out struct{ Changed []string }
	w.want(t, 201, "POST", "/api/v1/flows", file, &out)
	if fmt.Sprint(out.Changed) != "[cqu.car_pass]" {
		t.Errorf("changed %v", out.Changed)
	}
	broken := map[string]any{"name": "x.yaml", "yaml": strings.Replace(string(text), "deny: 'household.paper'", "deny: 'household.papre'", 1)}
	w.want(t, 200, "POST", "/api/v1/flows/check", broken, &check)
	if len(check.Faults) == 0 || check.Faults[0].Line == 0 {
		t.Errorf("check %+v", check)
	}
	w.refused(t, w.call(t, w.token, "POST", "/api/v1/flows", broken), 422, "flow_faults")
	var one api.FlowDetail
	w.want(t, 200, "PUT", "/api/v1/flows/cqu.car_pass/state", map[string]any{"on": false}, &one)
	if one.On || one.Version != 2 || one.Name != "公务车入校申请" || one.File != "mine.yaml" || one.YAML == "" {
		t.Errorf("flow %+v", one.Flow)
	}
	w.refused(t, w.call(t, w.token, "GET", "/api/v1/flows/no.such", nil), 404, "not_found")

	var v apply.Settings
	w.want(t, 200, "GET", "/api/v1/settings", nil, &v)
	if v != apply.Defaults {
		t.Errorf("settings %+v", v)
	}
	v.QuotaDays = 3
	w.want(t, 200, "PUT", "/api/v1/settings", v, &v)
	v.QuotaDays = 9999
	w.refused(t, w.call(t, w.token, "PUT", "/api/v1/settings", v), 422, "invalid")
	w.want(t, 200, "GET", "/api/v1/settings", nil, &v)
	if v.QuotaDays != 3 {
		t.Errorf("settings %+v", v)
	}
}

func TestApply_NothingPersonalInLogOrTrail(t *testing.T) {
	w := newWorld(t)
	enter := w.settle(t)
	var a apply.Application
	w.as(t, enter("13800130021"), 201, "POST", "/api/v1/applications", request("cqu.resident_pass", atHome("2026-11-22")), &a)
	w.as(t, enter("T1001"), 201, "POST", "/api/v1/applications", request("cqu.work_pass", map[string]any{"start": "2026-11-22", "end": "2026-11-23", "reason": "保密任务"}), nil)
	trail, err := w.db.Trail(t.Context(), 0, 10_000)
	ok(t, err)
	text, err := json.Marshal(trail)
	ok(t, err)
	found := false
	for _, e := range trail {
		found = found || e.Action == "application.submit" && e.Target == "application "+a.ID
	}
	if !found {
		t.Error("the trail does not tell of the submit")
	}
	var body []byte
	ok(t, w.db.Reader().QueryRowContext(t.Context(), "SELECT body FROM applications WHERE id = $1", a.ID).Scan(&body))
	for where, text := range map[string]string{"trail": string(text), "log": w.log.String(), "body": string(body)} {
		for _, secret := range []string{"13800130021", "林国栋", "保密任务", "松林坡"} {
			if where != "trail" && strings.Contains(text, secret) || where == "trail" && secret != "松林坡" && strings.Contains(text, secret) {
				t.Errorf("the %s has %q", where, secret)
			}
		}
	}
}
