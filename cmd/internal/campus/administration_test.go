package campus_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"campusgate/cmd/internal/campus"
	"campusgate/cmd/internal/campus/campustest"
)

// revoked is who loses the pass on the page of passes.
const revoked = "何思齐"

// happened lets a resident have a pass and go through the gate, so that every
// page of the administration has something to show; it gives the code of the
// pass of revoked.
func happened(t *testing.T, c *campus.Campus) (code string) {
	t.Helper()
	gate := c.Gates[0]
	relay := campustest.Watch(t, gate)
	resident, err := c.SignIn(t.Context(), residentPhone)
	if err != nil {
		t.Fatal(err)
	}
	var passes struct {
		Items []campus.Pass `json:"items"`
	}
	err = resident.Do(t.Context(), http.MethodPost, "/api/v1/applications", map[string]any{"flow": "cqu.resident_pass", "submit": true, "form": map[string]any{
		"type": "single", "head": "林国栋", "compound": "松林坡", "building": "3栋", "room": "201", "date": today(0).Format("2006-01-02"),
	}}, nil)
	if err == nil {
		err = resident.Do(t.Context(), http.MethodGet, "/api/v1/me/passes", nil, &passes)
	}
	if err != nil || len(passes.Items) != 1 {
		t.Fatalf("the resident's passes: %+v, %v", passes, err)
	}
	plug(t, gate).scan(t, passes.Items[0].Code)
	relay.Await(t, 1)
	arrived(t, c, 1)
	made, err := c.Client.Issue(t.Context(), campus.PassRequest{
		Kind: "visitor", Name: revoked, Doc4: "7740", From: today(0).Format("2006-01-02"), Until: today(0).Format("2006-01-02"), Uses: 1, Zones: []int{1},
	})
	if err != nil {
		t.Fatal(err)
	}
	return made.Code
}

// administers drives the pages of the administration over the server as it is.
func administers(t *testing.T, p *tab, c *campus.Campus, code string) {
	t.Helper()
	a := &administrator{tab: p}
	err := chromedp.Listen(p.ctx, func(ev any) {
		if ev, ok := ev.(*runtime.EventExceptionThrown); ok {
			p.mu.Lock()
			defer p.mu.Unlock()
			a.broken = append(a.broken, ev.ExceptionDetails.Text)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	p.mu.Lock()
	p.heard = nil // a login page asks who is there before anybody is
	p.mu.Unlock()

	a.shows("/people", 15, "林国栋", "教职工")
	a.find("陈立")
	a.row(1, "陈立", "计算机学院")
	a.imports()
	a.shows("/people?q=丁若兰", 1, "丁若兰", "计算机学院")
	a.shows("/people/person/"+applicant, 0, "周敏")
	a.shows("/people/units", 5, "计算机学院")
	a.shows("/people/places", 0, "松林坡")
	a.shows("/households", 2, "林国栋")

	a.shows("/passes", 2, "林国栋", revoked, "已使用")
	a.find(revoked)
	a.row(1, revoked, "有效")
	a.revokes(c, code)
	a.shows("/gates", 3, c.Gates[0].Name, "已连接") // of agents, gates and zones

	a.shows("/events/search", 2, "验证通过", "已作废")
	for _, tab := range []string{"registers", "conflicts", "quarantine"} {
		a.shows("/events/"+tab, 0)
	}
	a.shows("/keys", 2, "签发中", "待启用")
	a.shows("/keys/tokens", 1, "有效")
	a.shows("/audit", 10, "pass.revoked")
	a.leafs("pass.revoked")
	a.shows("/stats?flow=cqu.resident_pass", 1, "林国栋", "已完成")
	a.exports()
	a.shows("/stats/charts", 0)
	p.until(`document.querySelectorAll('canvas').length === 4`)
	a.fine("/stats/charts")
	for _, path := range []string{"/papers", "/settings", "/settings/desks", "/settings/documents"} {
		a.shows(path, 0)
	}
	a.shows("/flows", 3, "校区居民通行证")
}

// administrator is a tab on the console that must have nothing to complain of.
type administrator struct {
	*tab
	broken []string
}

// pageRows counts what the tables of a page hold.
const pageRows = `[...document.querySelectorAll('tbody tr:not([aria-hidden])')].filter((r) => r.checkVisibility()).length`

// shows opens a page, which must show at least so many rows and these words.
func (a *administrator) shows(path string, rows int, words ...string) {
	a.Helper()
	a.open("/console" + path)
	a.settled()
	for _, w := range words {
		a.says(w)
	}
	if n := eval[int](a.tab, pageRows); n < rows {
		a.Errorf("%s shows %d rows, at least %d are there", path, n, rows)
	}
	a.fine(path)
}

func (a *administrator) settled() {
	a.Helper()
	a.until(`document.querySelector('h1') && !document.querySelector('.bones, .bone, .bar, [aria-busy=true]')`)
}

// fine holds that nothing went wrong so far: in the page, at the server, or as
// the person at it would see.
func (a *administrator) fine(where string) {
	a.Helper()
	if seen := eval[[]string](a.tab, `[...document.querySelectorAll('.trouble, .stale, .refusal, [role=alert], .el-message--error, .el-message--warning')]
		.filter((e) => e.checkVisibility() && !e.matches('.el-message--success')).map((e) => e.innerText)`); len(seen) > 0 {
		a.Errorf("%s shows a problem: %q", where, seen)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, h := range a.heard {
		if h.status >= 400 {
			a.Errorf("%s was refused %s: %d", where, strings.TrimPrefix(h.url, a.base), h.status)
		}
	}
	for _, b := range a.broken {
		a.Errorf("%s: error in the page: %s", where, b)
	}
	a.heard, a.broken = nil, nil
}

// find types into the filter of a list.
func (a *administrator) find(words string) {
	a.Helper()
	a.enter(`form.filters .el-input input`, words)
	a.press(`form.filters button[type=submit]`)
	a.until(`new URLSearchParams(location.search).get('q') === ` + quoted(words))
	a.settled()
}

// row waits until a list has only so many rows, and the first has these words.
func (a *administrator) row(n int, words ...string) {
	a.Helper()
	a.until(fmt.Sprintf("%s === %d", pageRows, n))
	text := eval[string](a.tab, `document.querySelector('tbody tr').innerText`)
	for _, w := range words {
		if !strings.Contains(text, w) {
			a.Errorf("the row %q lacks %q", text, w)
		}
	}
}

// imports looks over a file with a fault, and brings in the rest.
func (a *administrator) imports() {
	a.Helper()
	a.shows("/people/imports", 0)
	file := "编号,姓名,人员类别,培养层次,所在单位,手机号,身份证号,邮箱\nT2001,丁若兰,在职教职员工,,cs,13800130091,,\nT2002,=1+1,在职教职员工,,nosuch,13800130092,,\n"
	eval[bool](a.tab, `(() => {
		const box = document.querySelector('input[type=file]'), files = new DataTransfer()
		files.items.add(new File([`+quoted(file)+`], 'people.csv'))
		box.files = files.files
		return box.dispatchEvent(new Event('change'))
	})()`)
	for _, w := range []string{"共 2 行", "新增 1", "有误 1", "nosuch", "丁若兰"} {
		a.says(w)
	}
	a.until(`[...document.querySelectorAll('button')].find((b) => b.innerText.trim() === '确认导入').disabled`)
	a.press(`.el-checkbox`)
	a.tap("确认导入")
	a.tap("确定")
	a.says("已导入:新增 1,修改 0,跳过 1")
	a.fine("/people/imports")
}

// revokes takes the pass in the list away, while another page watches the gate
// refuse it.
func (a *administrator) revokes(c *campus.Campus, code string) {
	a.Helper()
	gate := c.Gates[0]
	before, err := gate.Status(a.Context())
	if err != nil {
		a.Fatal(err)
	}
	a.press(`tbody button.link`)
	a.tap("作废")
	a.enter(`.el-dialog textarea`, "来访取消")
	a.press(`.el-dialog .el-button--danger`)
	a.says("通行证已作废")
	a.fine("/passes")
	eventually(a.TB, func() (bool, error) {
		now, err := gate.Status(a.Context())
		return err == nil && now.Snapshot.Revision > before.Snapshot.Revision, err
	})
	a.shows("/passes?q="+revoked, 1, "已作废")
	a.shows("/events", 0, "实时接收中")
	plug(a.TB, gate).scan(a.TB, code)
	a.until(pageRows + ` > 0 && document.querySelector('tbody tr').innerText.includes('已作废')`)
	a.fine("/events")
}

// leafs goes on from page to page of the trail until one has the words.
func (a *administrator) leafs(words string) {
	a.Helper()
	first := `document.querySelector('tbody td')?.innerText`
	for !eval[bool](a.tab, `document.body.innerText.includes(`+quoted(words)+`)`) {
		was := eval[string](a.tab, first)
		a.tap("下一页")
		a.until(first + ` !== ` + quoted(was))
		a.settled()
	}
	a.fine("/audit")
}

// exports fetches the files behind the links of the page.
func (a *administrator) exports() {
	a.Helper()
	files := eval[[]string](a.tab, `Promise.all([...document.querySelectorAll('a[download]')].map((a) => fetch(a.href).then(async (r) =>
		r.status + ' ' + r.headers.get('content-type').split(';')[0] + ' ' + (await r.text()))))`)
	if len(files) != 2 {
		a.Fatalf("%d files to export, want two", len(files))
	}
	slices.Sort(files) // 200 application/…, 200 text/csv
	if !strings.HasPrefix(files[0], "200 application/vnd.openxmlformats-officedocument.spreadsheetml.sheet PK") {
		a.Errorf("the workbook: %.90q", files[0])
	}
	if !strings.HasPrefix(files[1], "200 text/csv ") || strings.Count(strings.TrimSpace(files[1]), "\n") != 1 || !strings.Contains(files[1], ",**栋,") || strings.Contains(files[1], "林国栋") { // masked
		a.Errorf("the table: %q", files[1])
	}
	a.fine("/stats")
}
