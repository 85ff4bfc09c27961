package web_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"campusgate/server/web"
)

// consoleFake serves the built console, and under /api/v1 the answers that a
// page needs to show one of its states. It decides nothing.
type consoleFake struct {
	*httptest.Server
	mu      sync.Mutex
	answers map[string]answerOf // "GET /path" without the query
	asked   []string            // "POST /path body"
	news    chan struct{}       // one was added to asked
}

type answerOf struct {
	status int
	body   string
}

func newConsoleFake(t *testing.T) *consoleFake {
	t.Helper()
	if _, ok := web.Console.FS(); !ok {
		missing(t, "the console is not built: npm ci && npm run build")
	}
	f := &consoleFake{news: make(chan struct{}, 1)}
	f.reset()
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path, api := strings.CutPrefix(r.URL.Path, "/api/v1")
		if !api {
			builtPages().ServeHTTP(w, r)
			return
		}
		if strings.HasSuffix(path, "/qr.png") {
			http.ServeFile(w, r, "console/public/icon.svg") // any image
			return
		}
		f.answer(w, r, path)
	}))
	t.Cleanup(f.Close)
	return f
}

func (f *consoleFake) answer(w http.ResponseWriter, r *http.Request, path string) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	f.mu.Lock()
	a, ok := f.answers[r.Method+" "+path]
	for _, name := range []string{"box", "by"} {
		if of, listed := f.answers[r.Method+" "+path+"?"+name+"="+r.URL.Query().Get(name)]; listed {
			a, ok = of, true
		}
	}
	if r.Method != http.MethodGet {
		f.asked = append(f.asked, r.Method+" "+path+" "+string(body))
		select {
		case f.news <- struct{}{}:
		default:
		}
	}
	f.mu.Unlock()
	if !ok {
		a = answerOf{http.StatusNotFound, refusal("not_found", "没有这项内容 There is nothing here", "{}")}
	}
	kind := "application/json"
	if path == "/events/live" {
		kind = "text/event-stream"
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(a.status)
	_, _ = io.WriteString(w, a.body)
}

// reset has every answer be the usual one again, and forgets what was asked.
func (f *consoleFake) reset() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answers, f.asked = map[string]answerOf{}, nil
	for _, answers := range []map[string]string{consoleAnswers, adminAnswers, officeAnswers} {
		for route, body := range answers {
			f.answers[route] = answerOf{http.StatusOK, body}
		}
	}
}

// set changes an answer.
func (f *consoleFake) set(route string, status int, body string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answers[route] = answerOf{status, body}
}

// calls are what changed something, or tried to.
func (f *consoleFake) calls() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.asked...)
}

func refusal(code, message, details string) string {
	return fmt.Sprintf(`{"code":%q,"message":%q,"details":%s,"request_id":"r-0042"}`, code, message, details)
}

// at are moments of 1 May 2026, campus time, by the hour.
func at(hour int) int64 { return 1777564800000 + int64(hour)*3600_000 }

const (
	starterJSON = `{"number":"2019103","name":"林晓岚","unit":"教务处"}`
	chartJSON   = `[{"id":"unit","name":"部门领导审核","kind":"approve","mode":"any","people":[{"name":"周文博","unit":"教务处"}],"state":"done","by":["周文博"],"at":1777600800000},
		{"id":"college","name":"学院管理人员审核","kind":"approve","mode":"any","people":[{"name":"何静怡","unit":"外国语学院"},{"name":"唐立","unit":"外国语学院"}],"state":"current","by":[]},
		{"id":"xgb","name":"学工部同意","kind":"approve","mode":"any","people":[],"state":"waiting","by":[]},
		{"id":"file","name":"备案","kind":"archive","mode":"any","people":[],"state":"skipped","by":[]}]`
)

// passRow is a matter of the work pass in a list.
func passRow(id, title, state, name string) string {
	return fmt.Sprintf(`{"id":%q,"flow":"cqu.work_pass","flow_name":"校区工作通行证","flow_en":"Work pass","group":"校园通行","title":%q,"serial":"TX202605010012",
		"state":%q,"state_name":%q,"state_en":"","starter":%s,"created_at":%d,"submitted_at":%d,"ended_at":0,"step":"college","step_name":"学院管理人员审核","step_en":"College",
		"waiting":["何静怡","唐立"],"task":{"id":"t2","state":"pending","opened_at":%d},"pass":null,
		"summary":[{"name":"通行开始日期","value":"2026-05-02"},{"name":"通行截止日期","value":"2026-05-06"},{"name":"通行原因","value":"实验室设备检修,需要连续五天进入校区。"}]}`,
		id, title, state, name, starterJSON, at(8), at(8), at(9))
}

func rowList(total int, rows ...string) string {
	return fmt.Sprintf(`{"items":[%s],"total":%d,"page":1,"size":10,"counts":{"todo":3,"drafts":1,"done":12,"started":2,"cc":4}}`, strings.Join(rows, ","), total)
}

// matterJSON is a matter as its next handler sees it; change replaces pieces.
func matterJSON(change ...string) string {
	row := passRow("a1", "疫期通行证", "running", "审核中")
	whole := fmt.Sprintf(`%s,"version":19,
		"form":[{"id":"no","name":"学工号","en":"Number","type":"text","readonly":true,"value":"2019103","text":"2019103"},
			{"id":"person","name":"申请人","en":"Applicant","type":"text","readonly":true,"value":"林晓岚","text":"林晓岚"},
			{"id":"unit","name":"所在单位","en":"Unit","type":"unit","readonly":true,"value":"u2","text":"教务处"},
			{"id":"start","name":"通行开始日期","en":"First day","type":"date","required":true,"value":"2026-05-02","text":"2026-05-02"},
			{"id":"end","name":"通行截止日期","en":"Last day","type":"date","required":true,"value":"2026-05-06","text":"2026-05-06"},
			{"id":"reason","name":"通行原因","en":"Reason","type":"textarea","value":"实验室设备检修,需要连续五天进入校区。","text":"实验室设备检修,需要连续五天进入校区。"},
			{"id":"files","name":"附件","type":"file","many":true,"value":["f1","f2"],"text":"检修计划.pdf、现场.png"}],
		"files":[{"id":"f1","name":"检修计划.pdf","size":482133,"type":"application/pdf"},{"id":"f2","name":"现场.png","size":90211,"type":"image/png"}],
		"steps_forms":[{"step":"unit","name":"部门领导审核","by":{"number":"2008011","name":"周文博","unit":"教务处"},"at":%d,"fields":[{"name":"陪同人员","text":"邵一鸣","value":"邵一鸣","type":"text"}]}],
		"trail":[{"at":%d,"step_name":"发起人","actor":{"number":"2019103","name":"林晓岚"},"verb":"submit","name":"提交","en":"Submitted","opinion":"","to":[],"attachments":[]},
			{"at":%d,"step_name":"部门领导审核","actor":{"number":"2008011","name":"周文博"},"verb":"agree","name":"同意","en":"Agreed","opinion":"同意,注意安全。","to":[],"attachments":[{"id":"f3","name":"批示.pdf","size":1000,"type":"application/pdf"}]},
			{"at":%d,"step_name":"学院管理人员审核","actor":{"number":"2019103","name":"林晓岚"},"verb":"cc","name":"抄送","en":"Copied","opinion":"","to":["吴蔚"],"attachments":[]}],
		"chart":%s,
		"copies":[{"person":{"number":"2011007","name":"吴蔚","unit":"保卫处"},"at":%d,"read_at":%d},{"person":{"number":"2012044","name":"郑可","unit":"后勤处"},"at":%d,"read_at":0}],
		"comments":[{"from":{"number":"2008011","name":"周文博","unit":"教务处"},"to":%s,"text":"车辆也一起进校吗?","at":%d},{"from":%s,"text":"不开车,步行。","at":%d}],
		"ratings":[],"rate":[],"actions":["cc","comment","print","trace","void"],
		"tasks":[{"id":"t1","step":"unit","step_name":"部门领导审核","round":1,"seats":["部门负责人"],"people":["周文博"],"state":"done","outcome":"agree","opinion":"同意,注意安全。","opened_at":%d,"closed_at":%d,"mine":false},
			{"id":"t2","step":"college","step_name":"学院管理人员审核","round":1,"seats":["学院管理人员"],"people":["何静怡","唐立"],"state":"pending","outcome":"","opinion":"","opened_at":%d,"closed_at":0,"mine":true}],
		"mine":{"task":"t2","step_name":"学院管理人员审核","kind":"approve","opinion":"optional","outcomes":[{"id":"agree","name":"同意","en":"Agree","to":"next","form":[],"step_form":true,"next":true},
			{"id":"reject","name":"不同意","en":"Reject","to":"rejected","form":[],"step_form":false,"next":false},
			{"id":"return","name":"退回","en":"Return","to":"start","form":[{"id":"back_note","name":"退回说明","type":"textarea","required":true,"value":null,"text":""}],"step_form":false,"next":false}],
			"form":[{"id":"check","name":"核验结果","type":"select","required":true,"value":"","text":"","options":[{"value":"ok","label":"符合","en":"Fits"},{"value":"no","label":"不符合","en":"Does not fit"}]}],
			"next":{"choose":[{"to":"xgb","name":"学工部同意","people":[{"number":"2005001","name":"高远","unit":"学工部"}]},{"to":"ygb","name":"研工部同意","people":[]}],"note":"本科生送学工部,研究生送研工部","handler":"required"},
			"actions":["transfer","add_sign","cc","save"]}}`,
		strings.TrimSuffix(row, "}"), at(14), at(8), at(14), at(15), chartJSON, at(15), at(16), at(15), starterJSON, at(15), starterJSON, at(16), at(8), at(14), at(14))
	return strings.NewReplacer(change...).Replace(whole)
}

const meJSON = `{"number":"2006020","name":"何静怡","kind":"staff","level":"","unit":{"id":"u5","name":"外国语学院"},"phone":"13*******21","mail":"he@yunling.example",
	"posts":[{"role":"college_admin","name":"学院管理人员","unit":"u5","gate":0},{"role":"admin","name":"管理员","unit":"","gate":0}],
	"scopes":["self","admin"],"gate":0,"must_change":false,"unread":2,"demo":true}`

var consoleAnswers = map[string]string{
	"GET /login/ways":     `{"phone":true,"password":true,"oidc":[{"id":"main","name":"统一身份认证"}],"cas":[{"id":"old","name":"CAS 登录"}],"demo":true,"site":"云岭大学"}`,
	"GET /me":             meJSON,
	"GET /messages/count": `{"unread":2}`,
	"GET /calls": `{"calls":[{"id":"7-1-2","gate":2,"gate_name":"后门","lane":"入口","reason":"document","at":1795190400000,"state":"ringing"},
		{"id":"7-1-1","gate":2,"gate_name":"后门","lane":"入口","reason":"help","at":1795186400000,"state":"coming","answered_gate":1,"answered_gate_name":"东门","guard":"G0021","answered_at":1795186412000}]}`,
	"GET /messages": fmt.Sprintf(`{"items":[{"id":1,"kind":"assigned","subject":"疫期通行证","text":"您好,您收到了林晓岚发起的事项【疫期通行证】,请及时办理。","link":"/applications/a1","at":%d,"read_at":0},
		{"id":2,"kind":"comment","subject":"印章外借","text":"周文博:材料请补充一份委托书。","link":"/applications/a1","at":%d,"read_at":0},
		{"id":3,"kind":"completed","subject":"工作用车申请","text":"您好,您的事项【工作用车申请】已办结。","link":"/applications/a3","at":%d,"read_at":%d}],"total":3,"page":1,"size":10}`, at(8), at(6), at(1), at(2)),
	"GET /applications?box=todo": rowList(23, passRow("a1", "疫期通行证", "running", "审核中"), passRow("a4", "疫期通行证", "running", "审核中"),
		strings.NewReplacer("cqu.work_pass", "cqmm.purchase", "校区工作通行证", "采购申请", "Work pass", "Purchase", "校园通行", "采购管理").Replace(passRow("a5", "(采购专员): 实验耗材采购", "running", "审核中"))),
	"GET /applications?box=done":    rowList(2, passRow("a6", "疫期通行证", "completed", "已完成"), passRow("a7", "用印申请", "returned", "已退回")),
	"GET /applications?box=started": rowList(3, passRow("a2", "疫期通行证", "running", "审核中"), passRow("a8", "会议室预约", "rejected", "已驳回"), passRow("a9", "疫期通行证", "withdrawn", "已撤回")),
	"GET /applications?box=cc":      rowList(0),
	"GET /applications?box=drafts":  rowList(1, passRow("d1", "疫期通行证", "draft", "草稿")),
	"GET /applications/a1":          matterJSON(),
	"GET /applications/a2": matterJSON(`"actions":["cc","comment","print","trace","void"]`, `"actions":["withdraw","terminate","urge","cc","comment","rate","print","trace"]`,
		`"rate":[]`, `"rate":["service","process"]`, `"ratings":[]`, `"ratings":[{"by":`+starterJSON+`,"target":"service","stars":4,"text":"很快","at":1777600800000}]`,
		`"pass":null`, `"pass":{"id":"p1","kind":"work","state":"issued","from":"2026-05-02T00:00:00+08:00","until":"2026-05-07T00:00:00+08:00","bound":false,"mine":true}`,
		`"mine":{"task":"t2"`, `"mine":null,"_":{"task":"t2"`),
	"GET /applications/d1": matterJSON(`"state":"running","state_name":"审核中"`, `"state":"draft","state_name":"草稿"`, `"id":"a1"`, `"id":"d1"`,
		`"actions":["cc","comment","print","trace","void"]`, `"actions":["submit","save","discard","print"]`, `"mine":{"task":"t2"`, `"mine":null,"_":{"task":"t2"`),
	"GET /services": `{"items":[{"id":"cqu.resident_pass","name":"校区居民通行证","en":"Resident pass","office":"社区办","version":3,"group":"校园通行"},{"id":"cqu.work_pass","name":"校区工作通行证","office":"保卫处","version":19,"group":"校园通行"},
		{"id":"all.kinds","name":"综合申请","office":"党政办","version":1,"group":"政务办公"},{"id":"zja.hardship","name":"工会困难补助申请","office":"工会","version":2,"group":"校务服务"},{"id":"hall.seal","name":"用印申请","office":"党政办","version":1,"group":"政务办公"}]}`,
	"GET /services/cqu.resident_pass": `{"id":"cqu.resident_pass","name":"校区居民通行证","en":"Resident pass","limits":{"first_date":"2026-05-01","last_date":"2026-05-03","multi_days_max":7,"max_days":0},"version":3,"note":"按户每 2 天只能申请 1 个通行二维码。","chart":[{"id":"review","name":"校区居民通审核","kind":"approve","mode":"any","people":[{"name":"沈青","unit":"社区办"},{"name":"罗岩","unit":"社区办"}],"state":"waiting","by":[]}],
		"form":[{"id":"phone","name":"手机号","en":"Phone","type":"phone","readonly":true,"value":"13800130001","text":"13800130001"},
		{"id":"type","name":"通行证类型","en":"Type of pass","type":"select","required":true,"options":[{"value":"single","label":"单次通行证明","en":"Single entry"},{"value":"multi","label":"多次通行","en":"Multiple entries"}]},
		{"id":"head","name":"户主姓名","en":"Head of household","type":"text","required":true},
		{"id":"compound","name":"小区名称","en":"Compound","type":"select","required":true,"options":[{"value":"青松苑","label":"青松苑","en":""},{"value":"明湖里","label":"明湖里","en":""}]},
		{"id":"building","name":"楼栋号","en":"Building","type":"select","required":true,"options":null},{"id":"room","name":"门牌号","en":"Room","type":"select","required":true,"options":null},
		{"id":"date","name":"通行日期","en":"Date of entry","type":"date","required":true},
		{"id":"to","name":"截止日期","en":"Last date","type":"date","required_if":false,"required_when":"form.type == \"multi\""},
		{"id":"reason","name":"申请原因","en":"Reason","type":"textarea","max":1000,"required_if":false,"required_when":"form.type == \"multi\""}]}`,
	"GET /services/all.kinds": `{"id":"all.kinds","name":"综合申请","version":1,"chart":` + chartJSON + `,
		"form":[{"id":"a","name":"项目名称","type":"text","required":true,"max":50},{"id":"b","name":"项目详情","type":"textarea","max":1000},{"id":"c","name":"通知内容","type":"richtext"},{"id":"d","name":"印发份数","type":"number"},
		{"id":"e","name":"项目金额","type":"money","required":true},{"id":"f","name":"申请日期","type":"date"},{"id":"g","name":"来访时间","type":"datetime"},{"id":"h","name":"发文类型","type":"select"},
		{"id":"i","name":"接收单位","type":"unit","many":true},{"id":"j","name":"分管领导","type":"user","from":"role:deputy_leader","required":true},{"id":"k","name":"抄送领导","type":"user","many":true},
		{"id":"l","name":"联系方式","type":"phone"},{"id":"m","name":"附件","type":"file","many":true},{"id":"n","name":"项目图片","type":"image"},{"id":"o","name":"备注","type":"note","text":"本人郑重承诺:所填基本情况真实、准确。","value":"本人郑重承诺:所填基本情况真实、准确。"}]}`,
	"POST /services/all.kinds/preview":         `{"steps":[{"id":"unit","name":"部门领导审核","people":[{"number":"2008011","name":"周文博","unit":"教务处"}]},{"id":"file","name":"备案","people":[]}]}`,
	"POST /services/cqu.resident_pass/preview": `{"steps":[{"id":"review","name":"校区居民通审核","people":[]}]}`,
	"GET /places/options":                      `{"items":["1 栋","2 栋"]}`,
	"GET /units/tree":                          `{"items":[{"id":"u1","name":"云岭大学","parent":""},{"id":"u2","name":"教务处","parent":"u1"},{"id":"u5","name":"外国语学院","parent":"u1"},{"id":"u6","name":"英语系","parent":"u5"}]}`,
	"GET /people/search":                       `{"items":[{"number":"2008011","name":"周文博","unit":"教务处","posts":["部门负责人"]},{"number":"2005001","name":"高远","unit":"学工部","posts":["学工部领导"]}],"total":2,"page":1,"size":20}`,
	"GET /me/logins":                           fmt.Sprintf(`{"items":[{"at":%d,"way":"password","ip":"192.0.2.7","device":"Chrome, Windows","result":"ok"},{"at":%d,"way":"phone","ip":"192.0.2.9","device":"WeChat, Android","result":"wrong_code"}],"total":2,"page":1,"size":10}`, at(8), at(3)),
	"GET /me/sessions":                         fmt.Sprintf(`{"items":[{"id":"s1","created_at":%d,"seen_at":%d,"device":"Chrome, Windows","current":true},{"id":"s2","created_at":%d,"seen_at":%d,"device":"WeChat, Android","current":false}]}`, at(8), at(9), at(1), at(2)),
	"GET /flows":                               fmt.Sprintf(`{"items":[{"id":"cqu.resident_pass","name":"校区居民通行证","version":3,"published_at":%d,"published_by":"何静怡","on":true},{"id":"cqu.work_pass","name":"校区工作通行证","version":19,"published_at":%d,"published_by":"何静怡","on":true},{"id":"zz.car","name":"用车审批","version":1,"published_at":%d,"published_by":"系统","on":false}]}`, at(2), at(3), at(1)),
	"GET /flows/cqu.work_pass":                 `{"id":"cqu.work_pass","name":"校区工作通行证","version":19,"on":true,"file":"campus.yaml","yaml":"flows:\n  - id: cqu.work_pass\n    name: 校区工作通行证\n    title: 疫期通行证\n    starters: [kind:staff, kind:student]\n    steps:\n      - {id: unit, name: 部门领导审核, who: [\"head:starter\"], self: up}\n","steps":[{"id":"unit","name":"部门领导审核","kind":"approve","mode":"any","who":["head:starter"]},{"id":"college","name":"学院管理人员审核","kind":"approve","mode":"all","who":["role:college_admin@starter","role:guard"]}],"form":[]}`,
	"POST /flows/check":                        `{"faults":[{"line":3,"key":"flows[0].nmae","message":"未知的键 unknown key"},{"line":5,"key":"flows[0].starters","message":"不认识的人员类别 unknown kind"}],"flows":[]}`,
}
