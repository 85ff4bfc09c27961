package people_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"campusgate/server/people"
	"campusgate/server/people/sheet"
	"campusgate/server/store"
)

// faults lists what a preview complains about: "3 phone" for row 3.
func faults(p people.Preview) string {
	var all []string
	for _, f := range p.Faults {
		_, field, _ := strings.Cut(f.Column, " ")
		all = append(all, fmt.Sprintf("%d %s", f.Row, field))
	}
	return strings.Join(all, ", ")
}

func TestImport_CQ002_CQ063_SampleCampusTwiceIsTheSame(t *testing.T) {
	w := sampled(t)
	_, total, err := w.List(t.Context(), w.src(), people.PersonQuery{})
	if ok(t, err); total != 17+4 {
		t.Fatalf("%d persons", total)
	}
	list, _, err := w.List(t.Context(), w.src(), people.PersonQuery{Kind: people.Student})
	if ok(t, err); ids(list) != "S26001 S26002 S26003" || list[1].Level != "graduate" {
		t.Fatalf("students %+v", list)
	}
	trail := w.trail(t)
	again := sampledInto(t, w)
	if again.Added != 0 || again.Changed != 0 {
		t.Fatalf("the second time %+v", again)
	}
	if said := strings.TrimPrefix(w.trail(t), trail); strings.Count(said, "\n") != strings.Count(said, "import.confirmed") {
		t.Fatalf("the second time changed something: %s", said)
	}
}

func TestImport_NamesEveryBadRowAndChangesNothingUntilConfirmed(t *testing.T) {
	w := sampled(t)
	trail := w.trail(t)
	p := w.preview(t, people.ImportPeople, strings.Join([]string{
		"学号,姓名,类别,培养层次,单位,手机号,身份证号,邮箱,状态",
		"S1,甲,学生,本科生,cs,13800130101,999001197001120019,a@yunling.example,", // 2: adds
		"S2,,学生,本科生,cs,,,,",                  // 3: no name
		"S3,丙,外星人,,cs,,,,",                   // 4: kind
		"S4,丁,学生,博士后,cs,,,,",                 // 5: level
		"S5,戊,在职教职员工,本科生,cs,,,,",             // 6: a level of staff
		"S6,己,学生,,no-such,,,,",               // 7: unit
		"S7,庚,学生,,cs,1380013,,,",             // 8: phone
		"S8,辛,学生,,cs,13800130001,,,",         // 9: T1001's
		"S9,壬,学生,,cs,13800130101,,,",         // 10: row 2's
		"S10,癸,学生,,cs,,999001197001120018,,", // 11: check digit
		"S1,甲,学生,,cs,,,,",                    // 12: row 2's number
		"T1001,周敏,在职教职员工,,计算机学院,13800130001,999001197001120019,,", // 13: row 2's ID number
		"T1002,陈立,在职教职员工,,计算机学院,13800130002,,cl@yunling.example,", // 14: changes
		"T1003,赵一鸣,外聘员工,,cs-lab,13800130003,,,",                   // 15: same
		"'; DROP TABLE persons; --,x,学生,,,,,,",                    // 16: number
		"S11,\"=cmd|' /C calc'!A0\",学生,,,,,,",                     // 17: adds, only a name
		"S12," + strings.Repeat("长", 10_000) + ",学生,,,,,,",        // 18: name
		"S13,张\u202E三,学生,,,,,,",                                   // 19: name
		",丑,学生,,,,,,",                                             // 20: no number
		",寅,居民,,,13800130102,,,",                                  // 21: adds
		"r000009,卯,居民,,,,,,",                                      // 22: number of ours
		"S14,辰,学生,,,,,a@b,",                                       // 23: mail
		"S15,巳,学生,,,,,,毕业",                                        // 24: state
		"T1011,沈岚,在职教职员工,,,,,,离校",                                 // 25: changes
		"T1010,蒋涛,在职教职员工,,,,,,离校",                                 // 26: the last administrator
	}, "\n"))
	want := "3 name, 4 kind, 5 level, 6 level, 7 unit, 8 phone, 9 phone, 10 phone, 11 id_number, 12 number, 13 id_number, " +
		"16 number, 18 name, 19 name, 20 number, 22 number, 23 mail, 24 state, 26 state"
	if got := faults(p); got != want {
		t.Fatalf("faults\n%s, want\n%s", got, want)
	}
	if p.Rows != 25 || p.Adds != 3 || p.Changes != 2 || p.Same != 1 || p.Faulty != 19 {
		t.Fatalf("counts %+v", p)
	}
	for _, f := range p.Faults {
		if f.Message == "" || len([]rune(f.Value)) > 41 || strings.Contains(f.Value+f.Message, "13800130") || strings.Contains(f.Value+f.Message, "99900119") {
			t.Errorf("fault %+v", f)
		}
	}
	if len(p.Sample) != 20 || p.Sample[0][5] != "138****0101" || p.Sample[0][6] != "999***********0019" {
		t.Errorf("sample %+v", p.Sample[:2])
	}
	if w.trail(t) != trail {
		t.Fatal("a preview changes something")
	}
	if strings.Contains(w.files(t), "13800130101") {
		t.Error("the file waits with its numbers in plain")
	}

	if _, err := w.Confirm(t.Context(), by, p.ID, false); !errors.Is(err, people.ErrFaulty) {
		t.Fatalf("with faults: %v", err)
	}
	if w.trail(t) != trail {
		t.Fatal("a refused confirmation changes something")
	}
	done, err := w.Confirm(t.Context(), by, p.ID, true)
	if ok(t, err); done != (people.Imported{Added: 3, Changed: 2, Skipped: 19}) {
		t.Fatalf("done %+v", done)
	}
	if s1, err := w.Details(t.Context(), w.src(), "S1"); err != nil || s1.Phone != "13800130101" || s1.Level != "undergraduate" || s1.UnitName != "计算机学院" {
		t.Errorf("S1 %+v, %v", s1, err)
	}
	t1002, err := w.Details(t.Context(), w.src(), "T1002")
	if ok(t, err); t1002.Mail != "cl@yunling.example" || t1002.IDNumber != "999001198003050020" {
		t.Errorf("T1002: an empty cell changed something: %+v", t1002)
	}
	if w.person(t, "T1011").State != people.Left || w.person(t, "S11").Name != "=cmd|' /C calc'!A0" {
		t.Errorf("T1011 %+v, S11 %+v", w.person(t, "T1011"), w.person(t, "S11"))
	}
	if said := w.trail(t); strings.Contains(said, "13800130") || strings.Contains(said, "99900119") {
		t.Error("the trail has numbers")
	}
	if _, err := w.Confirm(t.Context(), by, p.ID, true); !errors.Is(err, store.ErrUsed) {
		t.Fatalf("twice: %v", err)
	}
}

func TestImport_HeadingIsCheckedByName(t *testing.T) {
	w := sampled(t)
	for header, want := range map[string]string{
		"编号,姓名,类别,工资":            "1 ",     // unknown, and named
		"编号,姓名":                  "1 kind", // missing
		"编号,姓名,类别,姓名":            "1 name", // twice
		"number,Name,KIND,phone": "",       // English
		" 编 号 ,姓名,人员类别":          "",       // spaces
		"a,b":                    "1 , 1 , 1 number, 1 name, 1 kind",
	} {
		p := w.preview(t, people.ImportPeople, header+"\n")
		if got := faults(p); got != want {
			t.Errorf("%s: %q, want %q", header, got, want)
		}
	}
	p := w.preview(t, people.ImportPeople, "编号,姓名,工资\nS1,甲,1\nS2,乙,2\n")
	if p.Faults[0].Column != "工资" || p.Faulty != 2 || p.Adds != 0 {
		t.Errorf("without a column that is needed: %+v", p)
	}
	if _, err := w.Import(t.Context(), by, "cards", "x.csv", []byte("a\n")); !errors.Is(err, people.ErrKind) {
		t.Errorf("no such kind: %v", err)
	}
	if _, err := w.Import(t.Context(), by, people.ImportPeople, "x.csv", nil); !errors.Is(err, sheet.ErrTable) {
		t.Errorf("nothing: %v", err)
	}
}

func TestImport_UnitsComeInAnyOrderAndNeverInACircle(t *testing.T) {
	w := sampled(t)
	p := w.preview(t, people.ImportUnits, strings.Join([]string{
		"id,name,parent,head",
		"c,丙,b,",          // 2: below the next
		"b,乙,a,T1001",     // 3
		"a,甲,yl,",         // 4
		"x,子,y,",          // 5: a circle
		"y,丑,x,",          // 6
		"z,寅,y,",          // 7: below the circle
		"yl,云岭大学,cs-lab,", // 8: the university below its laboratory
		"q,卯,nowhere,",    // 9
		"w,辰,,nobody",     // 10
		"w,辰,w,",          // 11: above itself
	}, "\n"))
	if got, want := faults(p), "5 parent, 6 parent, 7 parent, 8 parent, 9 parent, 10 head, 11 parent"; got != want {
		t.Fatalf("faults %s, want %s", got, want)
	}
	_, err := w.Confirm(t.Context(), by, p.ID, true)
	ok(t, err)
	if u, err := w.Unit(t.Context(), w.src(), "c"); err != nil || u.Parent != "b" {
		t.Errorf("c is %+v, %v", u, err)
	}
}

func TestImport_A04_HouseholdsOfTheCommunityOffice(t *testing.T) {
	w := sampled(t)
	p := w.preview(t, people.ImportHouseholds, strings.Join([]string{
		"小区,楼栋,门牌,户主,姓名,手机,身份证号,关系,已核实",
		"东林村,7栋,301,石磊,石磊,13800130061,,户主,",      // 2: building and room come to be
		"东林村,7 栋,301,石磊,石鑫,13800130062,,儿子,",     // 3: the same ones
		"东林村,7栋,302,江月,,13800130063,,,否",         // 4: the head herself, not verified
		"东林村,7栋,302,江月,石磊,13800130061,,,",        // 5: lives in both
		"东林林,7栋,302,江月,,,,,",                     // 6: no such compound
		"东林村,,302,江月,,,,,",                       // 7
		"东林村,7栋,303,江天,江天,13800130061,,,",        // 8: row 2's phone
		"东林村,7栋,301,石磊,石鑫,13800130062,,儿子,",      // 9: row 3 again
		"松林坡,3栋,201,林国栋,许文娟,13800130022,,妻,",     // 10: changes
		"松林坡,3栋,201,林国栋,林晓,13800130023,,子女,",     // 11: same
		"松林坡,3栋,201,林国栋,周民,13800130001,,,",       // 12: T1001's phone under another name
		"松林坡,3栋,201,林国栋,周敏,13800130001,,,",       // 13: T1001
		"松林坡,3栋,201,林国栋,小林,,,,也许",                // 14
		"东林村,7栋,304,江川,,13800130064,EA7654321,,", // 15
		"东林村,7栋,305,江川,,13800130064,EA7654322,,", // 16: row 15's phone beside another number
		"东林村,7栋,306,江川,,13800130065,EA7654321,,", // 17: and the other way round
	}, "\n"))
	if got, want := faults(p), "6 compound, 7 building, 8 phone, 9 name, 12 name, 14 verified, 16 id_number, 17 phone"; got != want {
		t.Fatalf("faults %s, want %s", got, want)
	}
	if p.Adds != 6 || p.Changes != 1 || p.Same != 1 {
		t.Fatalf("counts %+v", p)
	}
	done, err := w.Confirm(t.Context(), by, p.ID, true)
	if ok(t, err); done != (people.Imported{Added: 6, Changed: 1, Skipped: 8}) {
		t.Fatalf("done %+v", done)
	}
	stone, err := w.ByPhone(t.Context(), w.src(), "13800130061")
	ok(t, err)
	homes, err := w.HouseholdsOf(t.Context(), w.src(), stone.ID)
	if ok(t, err); len(homes) != 2 || homes[0].VerifiedAt == 0 || homes[0].VerifiedBy != actor || len(homes[0].Members) != 2 {
		t.Errorf("homes %+v", homes)
	}
	if rooms, err := w.Rooms(t.Context(), w.src(), "东林村", "7栋"); err != nil || strings.Join(rooms, " ") != "301 302 304" {
		t.Errorf("rooms %v, %v", rooms, err)
	}
	if list, _, err := w.Households(t.Context(), w.src(), people.HouseholdQuery{Text: "周敏"}); err != nil || len(list) != 1 {
		t.Errorf("T1001 lives in %+v, %v", list, err)
	}
}

func TestImport_PostsAndPlacesNameWhatDoesNotFit(t *testing.T) {
	w := sampled(t)
	p := w.preview(t, people.ImportPosts, strings.Join([]string{
		"岗位,编号,姓名,单位,校门,开始日期,结束日期",
		"窗口工作人员,T1001,周敏,社区办,,2026/12/1,2026年12月31日", // 2: adds
		"desk,T1006,,sqb,,,2027-01-01",               // 3: changes
		"社区办,T1006,吴静,社区办,,,",                        // 4: same
		"总管,T1001,,,,,",                              // 5: role
		"desk,T9999,,,,,",                            // 6: person
		"desk,T1001,周民,,,,",                          // 7: name
		"desk,T1001,,外太空,,,",                         // 8: unit
		"门卫,T1003,,,北门,,",                            // 9: gate
		"desk,T1003,,,,32号,",                         // 10: from
		"desk,T1003,,,,,2020-01-01",                  // 11: to
		"desk,T1001,周敏,社区办,,,",                       // 12: row 2 again
	}, "\n"))
	if got, want := faults(p), "5 role, 6 person, 7 name, 8 unit, 9 gate, 10 from, 11 to, 12 role"; got != want || p.Adds != 1 || p.Changes != 1 || p.Same != 1 {
		t.Fatalf("faults %s, want %s; %+v", got, want, p)
	}
	_, err := w.Confirm(t.Context(), by, p.ID, true)
	ok(t, err)
	posts, err := w.PostsOf(t.Context(), w.src(), "T1001", "2026-12-31")
	if ok(t, err); len(posts) != 2 || posts[1].From != "2026-12-01" || posts[1].To != "2026-12-31" {
		t.Errorf("posts %+v", posts)
	}

	p = w.preview(t, people.ImportPlaces, strings.Join([]string{
		"校区编号,校区,派出所,小区,校内地址,楼栋,门牌",
		"D,D校区,城东派出所,东苑,否,1栋,101", // 2: all new
		"D,,,东苑,,1栋,102",   // 3
		"D,,,,,2栋,1",       // 4: a building of no compound
		"E,,,,,,",          // 5: a campus without a name
		"D,D区,,,,,",        // 6: row 2 says otherwise
		"F,A校区,,,,,",       // 7: A's name
		"B,,,松林坡,,,",       // 8: on campus A
		"A,,,松林坡,否,,",      // 9: changes
		"A,,,松林坡,,3栋,201",  // 10: same
		"A,,,松林坡,,3 栋,201", // 11: the same again
		"B,,,东苑,,,",        // 12: row 2's
	}, "\n"))
	if got, want := faults(p), "4 compound, 5 campus_name, 6 campus_name, 7 campus_name, 8 compound, 11 campus, 12 campus"; got != want || p.Adds != 2 || p.Changes != 1 || p.Same != 1 {
		t.Fatalf("faults %s, want %s; %+v", got, want, p)
	}
	_, err = w.Confirm(t.Context(), by, p.ID, true)
	ok(t, err)
	all, err := w.Places(t.Context(), w.src())
	ok(t, err)
	for _, c := range all {
		if c.ID == "D" && (c.Police != "城东派出所" || len(c.Compounds) != 1 || c.Compounds[0].OnCampus || len(c.Compounds[0].Buildings[0].Rooms) != 2) {
			t.Errorf("campus D %+v", c)
		}
	}
}

// One after the other the rows of a file may end what none of them ends alone.
func TestImport_LeavesAnAdministrator(t *testing.T) {
	const (
		leave = "编号,姓名,类别,状态\nT1010,蒋涛,在职教职员工,离校\nT1011,沈岚,在职教职员工,离校\n"
		later = "岗位,编号,开始日期\nadmin,T1011,2026-11-22\nadmin,T1010,2026-11-22\n"
	)
	for _, c := range []struct {
		kind       people.ImportKind
		file, want string
	}{
		{people.ImportPeople, leave, "3 state"},
		{people.ImportPosts, later, "3 to"},
	} {
		w := sampled(t)
		w.change(t, func(tx *store.Tx) error {
			_, err := w.AddPost(tx, actor, people.Post{Role: people.Admin, Person: "T1011"})
			return err
		})
		p := w.preview(t, c.kind, c.file)
		if got := faults(p); got != c.want {
			t.Errorf("%s\nfaults %s, want %s", c.file, got, c.want)
		}
		_, err := w.Confirm(t.Context(), by, p.ID, true)
		ok(t, err)
		today := 0 // administrators
		for _, person := range []string{"T1010", "T1011"} {
			posts, err := w.PostsOf(t.Context(), w.src(), person, w.Today())
			ok(t, err)
			if slices.ContainsFunc(posts, func(o people.Post) bool { return o.Role == people.Admin }) {
				today++
			}
		}
		if today != 1 {
			t.Errorf("%s\n%d administrators", c.file, today)
		}
	}
}

func TestImport_ExpiresAndLooksAgain(t *testing.T) {
	w := sampled(t)
	const file = "编号,姓名,类别,手机号\nS1,甲,学生,13800130101\n"
	p := w.preview(t, people.ImportPeople, file)
	// Meanwhile somebody else gets the phone: what was fine is no more.
	other := w.add(t, people.Person{ID: "X1", Name: "乙", Kind: people.Staff, Phone: "13800130101"})
	if _, err := w.Confirm(t.Context(), by, p.ID, false); !errors.Is(err, people.ErrFaulty) {
		t.Fatalf("got %v, want ErrFaulty", err)
	}
	if again, err := w.Preview(t.Context(), by, p.ID); err != nil || faults(again) != "2 phone" {
		t.Fatalf("looked at again: %+v, %v", again, err)
	}
	w.change(t, func(tx *store.Tx) error { return w.SetPhone(tx, actor, other.ID, "13800130102") })
	w.now.Add(time.Hour.Milliseconds())
	if _, err := w.Confirm(t.Context(), by, p.ID, false); !errors.Is(err, store.ErrEnded) {
		t.Fatalf("after an hour: %v", err)
	}
	if _, err := w.Confirm(t.Context(), by, "0123", false); !errors.Is(err, store.ErrNotFound) {
		t.Fatalf("unknown: %v", err)
	}
	w.now.Add(1)
	w.preview(t, people.ImportPeople, file)
	if _, err := w.Preview(t.Context(), by, p.ID); !errors.Is(err, store.ErrNotFound) {
		t.Fatalf("an old file is kept: %v", err)
	}
}

func TestTemplate_OfEveryKindIsImportedWithoutAFault(t *testing.T) {
	w := sampled(t)
	for _, kind := range []people.ImportKind{
		people.ImportPlaces, people.ImportUnits, people.ImportPeople, people.ImportHouseholds, people.ImportPosts,
	} {
		for _, format := range []string{"csv", "xlsx"} {
			data, err := people.Template(kind, format)
			ok(t, err)
			if p := w.preview(t, kind, string(data)); len(p.Faults) != 0 || p.Rows != 0 || len(p.Columns) < 6 {
				t.Errorf("%s %s: %+v", kind, format, p)
			}
		}
	}
	if _, err := people.Template("cards", "csv"); !errors.Is(err, people.ErrKind) {
		t.Errorf("no such kind: %v", err)
	}
	if _, err := people.Template(people.ImportPosts, "pdf"); !errors.Is(err, people.ErrInvalid) {
		t.Errorf("no such format: %v", err)
	}
}
