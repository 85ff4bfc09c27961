package web_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// hoursJSON are today's figures: the gates were busy at eight.
func hoursJSON() string {
	hours := make([]string, 24)
	for i := range hours {
		hours[i] = fmt.Sprintf(`{"key":"%02d","admitted":0,"refused":0}`, i)
	}
	hours[8] = `{"key":"08","admitted":221,"refused":17}`
	return `{"by_day":[{"key":"2026-05-01","count":5,"admitted":221,"refused":17}],"by_hour":[` + strings.Join(hours, ",") + `],"by_gate":[],"by_reason":[],"by_unit":[],"running":12}`
}

// The administrators' first look, what was published and what was filed, in
// Chinese by day and in English by night.
func TestConsole_OverviewNoticesAndArchiveInBothDresses(t *testing.T) {
	axe := axeSource(t)
	api := newConsoleFake(t)
	api.set("GET /reports/charts", 200, hoursJSON())
	api.set("GET /notices", 200, listed(1, fmt.Sprintf(`{"id":1,"application":"a2","title":"五一期间校门开放安排","text":"西门 20:00 关闭。\n<b>请走东门</b>","at":%d}`, at(8))))
	api.set("GET /archive", 200, listed(1, fmt.Sprintf(`{"application":"a2","title":"办公电脑采购","serial":"ZZ2026050001","filed_at":%d}`, at(9))))
	c := openConsole(t, api)
	for path, words := range map[string][]string{
		// Of three gates one is away, its clock is off, it has a fault and a scanner is gone; another has no agent.
		"/overview": {"在线校门", "共 3 个", "221", "17", "12", "今日通行", "需要处理", "西门", "电脑时钟慢 2 秒", "进口：扫码器 2 断开", "1 个通行证超次使用", "1 条记录被隔离", "没有配置自动备份", "上次备份"},
		"/notices":  {"五一期间校门开放安排", "<b>请走东门</b>"},
		"/archive":  {"办公电脑采购", "ZZ2026050001", "2026-05-01 09:00"},
	} {
		c.size(1280, 800)
		c.scheme("light")
		c.open(path)
		for _, word := range words {
			c.text(word)
		}
		eval[bool](t, c.ctx, axe+"; true")
		c.judge("more"+strings.ReplaceAll(path, "/", "-")+"-zh-light", "zh-CN")
		c.scheme("dark")
		c.size(390, 844)
		c.press("English")
		c.until(`document.documentElement.lang === 'en' && document.documentElement.classList.contains('dark')`)
		c.judge("more"+strings.ReplaceAll(path, "/", "-")+"-en-dark", "en")
		c.press("中文")
	}
}

// What a list holds leaves the console by the server's route, which notes it.
func TestConsole_AListIsTakenAwayThroughTheServer(t *testing.T) {
	api := newConsoleFake(t)
	api.set("POST /applications/export", 200, `{"items":[],"total":0}`)
	c := openConsole(t, api)
	c.size(1280, 800)
	c.do(chromedp.Navigate(api.URL + "/console/work/done?flow=cqu.work_pass&state=completed"))
	c.settled()
	c.press("导出")
	c.until(`!document.querySelector('.el-button.is-loading')`)
	want := `POST /applications/export {"box":"done","flow":"cqu.work_pass","q":"","from":"","to":"","state":"completed"}`
	if calls := api.calls(); len(calls) != 1 || calls[0] != want {
		t.Errorf("sent %q, want %s", calls, want)
	}
}
