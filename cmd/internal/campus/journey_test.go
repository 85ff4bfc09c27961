package campus_test

import (
	"context"
	"database/sql"
	"path/filepath"
	"testing"
	"time"

	"campusgate/cmd/internal/campus"
	"campusgate/server"
)

// People of configs/people.
const (
	residentPhone = "13800130021" // 林国栋, head of 松林坡 3栋 201
	spousePhone   = "13800130022" // 许文娟, of the same household
	childPhone    = "13800130023" // 林晓, too
	applicant     = "T1001"       // 周敏, of 计算机学院
	headPhone     = "13800130002" // 陈立, head of 计算机学院
	guardPhone    = "13800130004" // 孙宁, 门卫
)

// populated runs a campus with its invented people, in parallel with other
// journeys. Phones reach its server over a line of their own.
func populated(t *testing.T) (*campus.Campus, *campus.Network) {
	t.Helper()
	t.Parallel()
	c := start(t, campus.Options{Gates: []string{"东门 East Gate"}})
	if err := c.Populate(t.Context()); err != nil {
		t.Fatal(err)
	}
	line, err := campus.NewNetwork(c.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := line.Close(); err != nil {
			t.Error(err)
		}
	})
	return c, line
}

// signInByPhone signs in on the phone's login page, with the code that the
// server shows where it runs.
func signInByPhone(p *tab, c *campus.Campus, number string) {
	p.Helper()
	p.enter(`input[name=phone]`, number)
	p.tap("发送短信")
	p.enter(`input[name=code]`, texted(p, c, number))
	p.tap("进入")
}

func texted(t testing.TB, c *campus.Campus, phone string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	code, err := c.Texts.Await(ctx, phone)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// choose takes one of the options of a field.
func choose(p *tab, field, option string) {
	p.Helper()
	p.press(`[data-field=` + field + `] .pick-button`)
	p.tap(option)
	p.until(`!document.querySelector('.sheet-choice')?.checkVisibility() && document.querySelector('[data-field=` + field + `] .pick-value').innerText.includes(` + quoted(option) + `)`)
}

// residence fills in the form of the household in 松林坡.
func residence(p *tab, kind, day string) {
	p.Helper()
	choose(p, "type", kind)
	p.enter(`input[name=head]`, "林国栋")
	choose(p, "compound", "松林坡")
	choose(p, "building", "3栋")
	choose(p, "room", "201")
	choose(p, "gate", "东门 East Gate")
	p.tap(day)
}

// rows counts what a query finds in the server's database, beside the server.
func rows(t *testing.T, c *campus.Campus, query string) (n int) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.ToSlash(filepath.Join(c.Data, server.DatabaseFile))+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if err := db.QueryRowContext(t.Context(), query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// today is the day on campus, and so many days later.
func today(later int) time.Time {
	return time.Now().In(time.FixedZone("Asia/Shanghai", 8*3600)).AddDate(0, 0, later)
}
