package api_test

import (
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"campusgate/configs"
	"campusgate/server/api"
	"campusgate/server/auth"
	"campusgate/server/people"
)

// upload sends a file to be imported.
func (w *world) upload(t testing.TB, who, kind, name string, data []byte) reply {
	t.Helper()
	return w.send(t, who, "/api/v1/imports?kind="+kind, name, data)
}

// send sends a file as a browser's form does.
func (w *world) send(t testing.TB, who, path, name string, data []byte) reply {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("file", name)
	ok(t, err)
	_, err = part.Write(data)
	ok(t, err)
	ok(t, form.Close())
	req, err := http.NewRequestWithContext(t.Context(), "POST", w.URL+path, &body)
	ok(t, err)
	req.Header.Set("Content-Type", form.FormDataContentType())
	as(req, who)
	return w.do(t, req)
}

// sample imports the sample campus over HTTP. Rows of posts that no flow of this
// world names are left out.
func (w *world) sample(t testing.TB) {
	t.Helper()
	files, err := configs.People()
	ok(t, err)
	for _, f := range files {
		var p api.ImportPreview
		r := w.upload(t, w.token, f.Kind, f.Name, f.Data)
		if r.into(t, &p); r.status != http.StatusCreated || len(p.Faults) > 0 && f.Kind != "posts" {
			t.Fatalf("%s: %d %s", f.Name, r.status, r.body)
		}
		var done api.ImportResult
		w.want(t, http.StatusOK, "POST", "/api/v1/imports/"+p.ID+"/confirm", map[string]any{"skip_faulty": true}, &done)
		if done.Added+done.Changed == 0 {
			t.Fatalf("%s does nothing", f.Name)
		}
	}
}

// listed gets a list and gives one field of every item, with its total.
func listed[T any](t testing.TB, w *world, path string, one func(T) string) (string, int) {
	t.Helper()
	var page api.Listed[T]
	w.want(t, http.StatusOK, "GET", "/api/v1"+path, nil, &page)
	var all []string
	for _, item := range page.Items {
		all = append(all, one(item))
	}
	return strings.Join(all, " "), page.Total
}

func TestPeople_CQ054_AreMadeFoundAndChangedWithMaskedNumbers(t *testing.T) {
	w := newWorld(t)
	w.sample(t)
	var p api.Person
	w.want(t, http.StatusCreated, "POST", "/api/v1/people", map[string]any{
		"number": "T2001", "name": "丁宁", "kind": "staff", "unit": "cs", "phone": "138 0013 0081", "id_number": "999001197001120019",
	}, &p)
	if p.Phone != "138****0081" || p.IDNumber != "999***********0019" || p.Unit.Name != "计算机学院" || p.State != "active" {
		t.Fatalf("made %+v", p)
	}
	w.want(t, http.StatusOK, "PUT", "/api/v1/people/T2001", map[string]any{"mail": "dn@yunling.example", "unit": ""}, &p)
	if p.Mail != "dn@yunling.example" || p.Unit.ID != "" || p.Phone != "138****0081" {
		t.Fatalf("changed %+v", p)
	}
	w.want(t, http.StatusOK, "GET", "/api/v1/people/T1006", nil, &p)
	if len(p.Posts) == 0 || p.Posts[0].PersonName != "吴静" {
		t.Errorf("posts %+v", p.Posts)
	}
	w.want(t, http.StatusOK, "GET", "/api/v1/people/T0902", nil, &p)
	if len(p.Households) != 1 {
		t.Errorf("households %+v", p.Households)
	}
	number := func(p api.Person) string { return p.Number }
	for query, want := range map[string]string{
		"?q=13800130081": "T2001", "?q=" + url.QueryEscape("韩"): "T0901", "?kind=student&size=2&page=2": "S26003",
		"?unit=cs": "S26001 S26002 T1001 T1002 T1003", "?state=left": "", "?q=1380013008": "",
	} {
		if got, _ := listed(t, w, "/people"+query, number); got != want {
			t.Errorf("%s gives %s, want %s", query, got, want)
		}
	}
	for field, change := range map[string]any{
		"phone": "138****0081", "id_number": "999001197001120018", "name": "a\u202Eb", "unit": "nowhere", "mail": "x",
	} {
		refusal := w.refused(t, w.call(t, w.token, "PUT", "/api/v1/people/T2001", map[string]any{field: change}), 422, "invalid")
		if f := refusal.Details.Faults; len(f) != 1 || f[0].Field != field {
			t.Errorf("%s: faults %+v", field, f)
		}
	}
	w.refused(t, w.call(t, w.token, "PUT", "/api/v1/people/T2001", map[string]any{"phone": "13800130001"}), 422, "invalid")
	w.refused(t, w.call(t, w.token, "GET", "/api/v1/people/nobody", nil), http.StatusNotFound, "not_found")
	for _, secret := range []string{"13800130081", "999001197001120019", "丁宁"} {
		if strings.Contains(w.log.String(), secret) {
			t.Errorf("the log has %q", secret)
		}
	}
}

func TestPeople_ZA022_PickerShowsNoNumbersAndNoResidents(t *testing.T) {
	w := newWorld(t)
	w.sample(t)
	who := w.enter(t, "S26001") // any person may
	search := func(query string) (reply, api.Listed[api.FoundPerson]) {
		var page api.Listed[api.FoundPerson]
		r := w.call(t, who, "GET", "/api/v1/people/search?"+query, nil)
		if r.status == http.StatusOK {
			r.into(t, &page)
		}
		return r, page
	}
	if _, page := search("q=" + url.QueryEscape("社区")); page.Total != 1 || page.Items[0].Number != "T1006" || page.Items[0].Unit != "社区办" {
		t.Errorf("by unit %+v", page)
	}
	if _, page := search("q=T&role=guard"); page.Total != 1 || page.Items[0].Number != "T1004" || page.Items[0].Posts[0] != "门卫" {
		t.Errorf("by post %+v", page)
	}
	for _, q := range []string{"林国栋", "13800130001", "%", "' OR 1=1"} {
		if r, page := search("q=" + url.QueryEscape(q)); page.Total != 0 || r.status != http.StatusOK {
			t.Errorf("%q finds %s", q, r.body)
		}
	}
	if r, _ := search("q="); r.status != 422 {
		t.Errorf("without a text: %d", r.status)
	}
	if r, _ := search("q=T"); strings.Contains(string(r.body), "1380013") || strings.Contains(string(r.body), "999001") {
		t.Errorf("the picker shows numbers: %s", r.body)
	}
	var tree struct{ Items []api.UnitNode }
	r := w.call(t, who, "GET", "/api/v1/units/tree", nil)
	if r.into(t, &tree); len(tree.Items) != 10 {
		t.Errorf("tree %+v", tree)
	}
}

// Nobody gets more by writing people than they have.
func TestPeople_WritingThemGivesNoFurtherRights(t *testing.T) {
	w := newWorld(t)
	w.sample(t)
	clerk := w.newToken(t, auth.PeopleWrite, auth.PeopleRead)
	post := map[string]any{"role": "admin", "person": "S26001"}
	w.refused(t, w.call(t, clerk, "POST", "/api/v1/posts", post), http.StatusForbidden, "forbidden")
	w.refused(t, w.call(t, clerk, "PUT", "/api/v1/people/T1010", map[string]any{"phone": "13800130099"}), http.StatusForbidden, "forbidden")

	var admins api.Listed[api.Post]
	w.want(t, http.StatusOK, "GET", "/api/v1/posts?role=admin", nil, &admins)
	w.refused(t, w.call(t, clerk, "DELETE", fmt.Sprintf("/api/v1/posts/%d", admins.Items[0].ID), nil), http.StatusForbidden, "forbidden")

	for kind, file := range map[string]string{
		"posts":      "role,person\nadmin,S26001\n",
		"people":     "number,name,kind,phone\nT1010,蒋涛,staff,13800130099\n",
		"households": "compound,building,room,head,number,phone\n松林坡,3栋,101,蒋涛,T1010,13800130099\n",
	} {
		var p api.ImportPreview
		if w.upload(t, clerk, kind, "x.csv", []byte(file)).into(t, &p); p.Faulty != 1 {
			t.Errorf("%s: %+v", kind, p)
		}
		// Nor by a file that an administrator has looked over.
		if w.upload(t, w.token, kind, "x.csv", []byte(file)).into(t, &p); kind != "households" && p.Faulty != 0 {
			t.Errorf("%s as an administrator: %+v", kind, p)
		}
		w.refused(t, w.call(t, clerk, "POST", "/api/v1/imports/"+p.ID+"/confirm", map[string]any{}), http.StatusConflict, "faulty_rows")
	}
	if posts, total := listed(t, w, "/posts?role=admin", func(p api.Post) string { return p.Person }); posts != "T1010" || total != 1 {
		t.Errorf("administrators %s", posts)
	}
	// What the clerk may: a post that permits nothing here, and everybody else's phone.
	w.want(t, http.StatusOK, "PUT", "/api/v1/people/T1010", map[string]any{"phone": "13800130099"}, nil)
	if r := w.call(t, clerk, "PUT", "/api/v1/people/S26001", map[string]any{"phone": "13800130098"}); r.status != http.StatusOK {
		t.Errorf("a student's phone: %d %s", r.status, r.body)
	}
}

func TestPosts_ZZ040_AreGivenAndEnded(t *testing.T) {
	w := newWorld(t)
	w.sample(t)
	var roles struct{ Items []api.Role }
	w.want(t, http.StatusOK, "GET", "/api/v1/roles", nil, &roles)
	if !slices.Contains(roles.Items, api.Role{Role: people.Guard, Name: "门卫"}) {
		t.Errorf("roles %+v", roles.Items)
	}
	gate := w.gate(t, "东门", 1)
	var o api.Post
	w.want(t, http.StatusCreated, "POST", "/api/v1/posts", map[string]any{"role": "guard", "person": "T1003", "gate": gate, "to": "2026-12-31"}, &o)
	if o.From != "2026-11-21" || o.Gate != gate || o.PersonName != "赵一鸣" {
		t.Fatalf("post %+v", o)
	}
	guard := w.enter(t, "T1003")
	var me api.Me
	if w.call(t, guard, "GET", "/api/v1/me", nil).into(t, &me); me.Gate != gate || !slices.Contains(me.Scopes, "guard") {
		t.Errorf("the guard is %+v", me)
	}
	w.want(t, http.StatusOK, "DELETE", fmt.Sprintf("/api/v1/posts/%d", o.ID), nil, &o)
	if o.To != "2026-11-21" {
		t.Errorf("ended %+v", o)
	}
	if w.call(t, guard, "GET", "/api/v1/me", nil).into(t, &me); slices.Contains(me.Scopes, "guard") {
		t.Error("the session keeps the scope of a post that was ended")
	}
	w.refused(t, w.call(t, w.token, "POST", "/api/v1/posts", map[string]any{"role": "no_such", "person": "T1003"}), 422, "invalid")
	w.refused(t, w.call(t, w.token, "POST", "/api/v1/posts", map[string]any{"role": "guard", "person": "T1003", "gate": 99}), 422, "invalid")
	w.refused(t, w.call(t, w.token, "DELETE", "/api/v1/posts/999", nil), http.StatusNotFound, "not_found")
}

func TestImports_A04_UploadPreviewConfirm(t *testing.T) {
	w := newWorld(t)
	w.sample(t)
	file := "编号,姓名,类别,手机号\nS1,甲,学生,13800130101\nS2,乙,外星人,13800130102\n"
	var p api.ImportPreview
	r := w.upload(t, w.token, "people", "学生 <名单>.csv", []byte(file))
	r.into(t, &p)
	if r.status != http.StatusCreated || p.Rows != 2 || p.Adds != 1 || p.Faulty != 1 || p.Name != "学生 <名单>.csv" {
		t.Fatalf("%d %s", r.status, r.body)
	}
	if f := p.Faults[0]; f.Row != 3 || f.Value != "外星人" || !strings.Contains(f.Column, "kind") || f.Message == "" {
		t.Errorf("fault %+v", f)
	}
	if p.Sample[0]["姓名"] != "甲" || p.Sample[0]["手机号"] != "138****0101" || p.ExpiresAt != w.now.Load()+3600_000 {
		t.Errorf("preview %+v", p)
	}
	w.refused(t, w.call(t, w.token, "GET", "/api/v1/people/S1", nil), http.StatusNotFound, "not_found")
	path := "/api/v1/imports/" + p.ID
	w.refused(t, w.call(t, w.token, "POST", path+"/confirm", map[string]any{}), http.StatusConflict, "faulty_rows")
	w.want(t, http.StatusOK, "GET", path, nil, &p)
	var done api.ImportResult
	w.want(t, http.StatusOK, "POST", path+"/confirm", map[string]any{"skip_faulty": true}, &done)
	if done != (api.ImportResult{Added: 1, Skipped: 1}) {
		t.Errorf("done %+v", done)
	}
	w.want(t, http.StatusOK, "GET", "/api/v1/people/S1", nil, nil)
	w.refused(t, w.call(t, w.token, "POST", path+"/confirm", map[string]any{"skip_faulty": true}), http.StatusConflict, "used")
	w.refused(t, w.call(t, w.token, "GET", "/api/v1/imports/0123", nil), http.StatusNotFound, "not_found")
	w.upload(t, w.token, "people", "x.csv", []byte(file)).into(t, &p)
	w.now.Add(3600_000)
	w.refused(t, w.call(t, w.token, "POST", "/api/v1/imports/"+p.ID+"/confirm", map[string]any{}), http.StatusGone, "ended")
	if log := w.log.String(); strings.Contains(log, "13800130101") || strings.Contains(log, "名单") {
		t.Error("the log has what is in the file")
	}
}

func TestImports_RefuseWhatIsNoFile(t *testing.T) {
	w := newWorld(t)
	for name, data := range map[string][]byte{
		"empty": nil, "broken zip": []byte("PK\x03\x04 broken"), "picture": []byte("\x89PNG\r\n\x1a\n\xff\xd8"), "old": []byte("\xD0\xCF\x11\xE0"),
	} {
		w.refused(t, w.upload(t, w.token, "people", name, data), 422, "unreadable_file")
	}
	w.refused(t, w.upload(t, w.token, "people", "x\u202Excsv.exe", []byte("a,b\n")), 422, "invalid")
	w.refused(t, w.upload(t, w.token, "cards", "x.csv", []byte("a,b\n")), 422, "invalid")
	w.refused(t, w.upload(t, w.token, "people", "x.csv", bytes.Repeat([]byte("x"), 9<<20)), http.StatusRequestEntityTooLarge, "too_large")

	// Without a length the upload ends where it gets too long.
	in, out := io.Pipe()
	form := multipart.NewWriter(out)
	kind := form.FormDataContentType()
	go func() {
		part, err := form.CreateFormFile("file", "x.csv")
		for err == nil {
			_, err = part.Write(make([]byte, 1<<20))
		}
	}()
	req, err := http.NewRequestWithContext(t.Context(), "POST", w.URL+"/api/v1/imports?kind=people", in)
	ok(t, err)
	req.Header.Set("Content-Type", kind)
	as(req, w.token)
	w.refused(t, w.do(t, req), 422, "invalid")
	ok(t, in.Close())

	w.refused(t, w.call(t, w.token, "POST", "/api/v1/imports?kind=people", "{}"), 422, "invalid")
	for _, kind := range []string{"places", "units", "people", "households", "posts"} {
		for _, format := range []string{"csv", "xlsx"} {
			r := w.call(t, w.token, "GET", "/api/v1/imports/template?kind="+kind+"&format="+format, nil)
			if r.status != http.StatusOK || !strings.Contains(r.header.Get("Content-Disposition"), kind+"."+format) {
				t.Fatalf("template %s %s: %d", kind, format, r.status)
			}
			var p api.ImportPreview
			if w.upload(t, w.token, kind, kind+"."+format, r.body).into(t, &p); len(p.Columns) < 6 || len(p.Faults) != 0 {
				t.Errorf("template %s %s comes back as %+v", kind, format, p)
			}
		}
	}
}
