package people_test

import (
	"testing"

	"campusgate/server/approval"
	"campusgate/server/people"
	"campusgate/server/store"
)

func TestUnit_NamesWhatDoesNotFit(t *testing.T) {
	w := sampled(t)
	left := people.Left
	w.change(t, func(tx *store.Tx) error {
		_, err := w.UpdatePerson(tx, actor, "T1003", people.PersonChange{State: &left})
		return err
	})
	for field, u := range map[string]people.Unit{
		"id":     {ID: "a b", Name: "x"},
		"name":   {ID: "x"},
		"parent": {ID: "x", Name: "x", Parent: "x"},
		"campus": {ID: "x", Name: "x", Campus: "Z"},
		"head":   {ID: "x", Name: "x", Head: "T1003"},
	} {
		w.refused(t, field, func(tx *store.Tx) error { _, err := w.AddUnit(tx, actor, u); return err })
	}
	w.refused(t, "parent", func(tx *store.Tx) error {
		_, err := w.AddUnit(tx, actor, people.Unit{ID: "x", Name: "x", Parent: "nowhere"})
		return err
	})
	w.refused(t, "head", func(tx *store.Tx) error {
		_, err := w.AddUnit(tx, actor, people.Unit{ID: "x", Name: "x", Head: "nobody"})
		return err
	})
	w.refused(t, "id", func(tx *store.Tx) error {
		_, err := w.AddUnit(tx, actor, people.Unit{ID: "cs", Name: "x"})
		return err
	})
	// Round in a circle: the university under its own laboratory.
	w.refused(t, "parent", func(tx *store.Tx) error {
		_, err := w.UpdateUnit(tx, actor, people.Unit{ID: "yl", Name: "云岭大学", Parent: "cs-lab"})
		return err
	})
}

func names(list []approval.Person) string {
	all := ""
	for _, p := range list {
		all += p.ID + " "
	}
	return all
}

func TestDirectory_ZZ040_PostsAreFoundInTheUnitOrAboveIt(t *testing.T) {
	w := sampled(t)
	w.change(t, func(tx *store.Tx) error {
		_, err := w.AddPost(tx, actor, people.Post{Role: "college_admin", Person: "T1006"}) // everywhere
		return err
	})
	d := w.Directory(w.src())
	for unit, want := range map[string]string{
		"cs-lab": "T1001 ", // of the college above
		"cs":     "T1001 ", "arch": "T1005 ",
		"it": "T1006 ", "yl": "T1006 ", "": "T1006 ", "nowhere": "T1006 ",
	} {
		if found, err := d.HoldersAt("college_admin", unit); err != nil || names(found) != want {
			t.Errorf("at %q: %s, %v; want %s", unit, names(found), err, want)
		}
	}
	if found, err := d.Holders("college_admin"); err != nil || names(found) != "T1001 T1005 T1006 " {
		t.Errorf("holders %s, %v", names(found), err)
	}
	if found, err := d.Admins(); err != nil || names(found) != "T1010 " {
		t.Errorf("administrators %s, %v", names(found), err)
	}
	if head, ok, err := d.Head("cs"); err != nil || !ok || head.ID != "T1002" || head.UnitName != "计算机学院" {
		t.Errorf("head %+v %v %v", head, ok, err)
	}
	for _, unit := range []string{"cs-lab", "nowhere", ""} {
		if head, ok, err := d.Head(unit); err != nil || ok {
			t.Errorf("%q has the head %+v, %v", unit, head, err)
		}
	}
	if above, err := d.Above("cs-lab"); err != nil || above != "cs" {
		t.Errorf("above %q, %v", above, err)
	}
	if name, err := d.UnitName("cs"); err != nil || name != "计算机学院" {
		t.Errorf("name %q, %v", name, err)
	}
	if found, err := d.Members("cs"); err != nil || names(found) != "S26001 S26002 T1001 T1002 " {
		t.Errorf("members %s, %v", names(found), err)
	}
	if _, ok, err := d.Person("nobody"); err != nil || ok {
		t.Errorf("nobody is there: %v", err)
	}
}

func TestDirectory_WhoHasLeftIsNobody(t *testing.T) {
	w := sampled(t)
	left := people.Left
	w.change(t, func(tx *store.Tx) error {
		for _, id := range []string{"T1002", "T1001"} {
			if _, err := w.UpdatePerson(tx, actor, id, people.PersonChange{State: &left}); err != nil {
				return err
			}
		}
		// The change under way already sees it.
		d := w.Directory(tx)
		if found, err := d.HoldersAt("college_admin", "cs"); err != nil || len(found) != 0 {
			t.Errorf("holders %s, %v", names(found), err)
		}
		if _, ok, err := d.Head("cs"); err != nil || ok {
			t.Errorf("the head is there, %v", err)
		}
		if _, ok, err := d.Person("T1001"); err != nil || ok {
			t.Errorf("the person is there, %v", err)
		}
		return nil
	})
}

func TestPosts_ZU016_AHandlerIsNamedFromOneDayToAnother(t *testing.T) {
	w := sampled(t)
	var o people.Post
	w.change(t, func(tx *store.Tx) (err error) {
		o, err = w.AddPost(tx, actor, people.Post{Role: "vehicle_office", Person: "T1003", Unit: "bwc", From: "2026-11-22", To: "2026-11-23"})
		return err
	})
	if o.PersonName != "赵一鸣" || o.UnitName != "保卫处" {
		t.Errorf("post %+v", o)
	}
	for day, want := range map[string]int{"2026-11-21": 0, "2026-11-22": 1, "2026-11-23": 1, "2026-11-24": 0} {
		if posts, err := w.PostsOf(t.Context(), w.src(), "T1003", day); err != nil || len(posts) != want {
			t.Errorf("%s: %v, %v", day, posts, err)
		}
	}
	d := w.Directory(w.src())
	if found, err := d.Holders("vehicle_office"); err != nil || len(found) != 0 {
		t.Errorf("today %s, %v", names(found), err)
	}
	w.now.Add(24 * 3600 * 1000)
	if found, err := d.Holders("vehicle_office"); err != nil || names(found) != "T1003 " {
		t.Errorf("tomorrow %s, %v", names(found), err)
	}
	w.refused(t, "role", func(tx *store.Tx) error { // twice on one day
		_, err := w.AddPost(tx, actor, people.Post{Role: "vehicle_office", Person: "T1003", Unit: "bwc", From: "2026-11-23"})
		return err
	})
	// Ended means at once, though today was a day of the post.
	w.change(t, func(tx *store.Tx) (err error) { o, err = w.EndPost(tx, actor, o.ID); return err })
	if o.To != "2026-11-22" {
		t.Errorf("ended %+v", o)
	}
	if found, err := d.Holders("vehicle_office"); err != nil || len(found) != 0 {
		t.Errorf("after the end %s, %v", names(found), err)
	}
	trail := w.trail(t)
	w.change(t, func(tx *store.Tx) (err error) { _, err = w.EndPost(tx, actor, o.ID); return err })
	if w.trail(t) != trail {
		t.Error("ending it again leaves a trail")
	}
}

func TestPosts_NamesWhatDoesNotFit(t *testing.T) {
	w := sampled(t)
	for _, c := range []struct {
		field string
		post  people.Post
	}{
		{"role", people.Post{Role: "", Person: "T1001"}},
		{"role", people.Post{Role: "Admin'; --", Person: "T1001"}},
		{"person", people.Post{Role: "desk", Person: "nobody"}},
		{"unit", people.Post{Role: "desk", Person: "T1001", Unit: "nowhere"}},
		{"gate", people.Post{Role: "guard", Person: "T1001", Gate: 7}},
		{"gate", people.Post{Role: "desk", Person: "T1001", Gate: 7}},
		{"from", people.Post{Role: "desk", Person: "T1001", From: "tomorrow"}},
		{"to", people.Post{Role: "desk", Person: "T1001", To: "2026-02-30"}},
		{"to", people.Post{Role: "desk", Person: "T1001", From: "2026-11-22", To: "2026-11-21"}},
	} {
		w.refused(t, c.field, func(tx *store.Tx) error { _, err := w.AddPost(tx, actor, c.post); return err })
	}
	list, total, err := w.Posts(t.Context(), w.src(), people.PostQuery{Role: people.Desk})
	if ok(t, err); total != 2 || list[0].Person != "T1006" {
		t.Errorf("desks %d %+v", total, list)
	}
}

func TestSearch_ZA022_FindsByNameNumberUnitAndPost(t *testing.T) {
	w := sampled(t)
	find := func(q, role, unit string, page people.Page) (string, int) {
		t.Helper()
		found, total, err := w.Search(t.Context(), w.src(), q, role, unit, page)
		ok(t, err)
		all := ""
		for _, p := range found {
			all += p.ID + " "
			if p.Phone != "" || p.IDNumber != "" {
				t.Errorf("the picker shows numbers of %s", p.ID)
			}
		}
		return all, total
	}
	for _, c := range []struct{ q, role, unit, want string }{
		{"周", "", "", "T1001 "},
		{"t100", "", "", "T1001 T1002 T1003 T1004 T1005 T1006 T1007 T1008 T1009 "},
		{"建筑", "", "", "S26003 T0902 T1005 "},
		{"门卫", "", "", "T1004 "}, // by the name of a post
		{"T", "college_admin", "", "T1001 T1005 "},
		{"赵", "", "cs", "T1003 "},      // in the laboratory below
		{"林", "", "", ""},              // residents are not found
		{"138", "", "", ""},            // nor anybody by phone
		{"9990011970", "", "", ""},     // nor by ID number
		{"%", "", "", ""},              // no wildcards
		{"_", "", "", ""},              //
		{`\`, "", "", ""},              //
		{"' OR 1=1 --", "", "", ""},    //
		{"Amina", "", "", "S26003 "},   //
		{"amina d", "", "", "S26003 "}, //
	} {
		if got, total := find(c.q, c.role, c.unit, people.Page{}); got != c.want || total != len(splitIDs(c.want)) {
			t.Errorf("%q %s %s: %s (%d), want %s", c.q, c.role, c.unit, got, total, c.want)
		}
	}
	if got, total := find("T100", "", "", people.Page{Number: 3, Size: 4}); got != "T1009 " || total != 9 {
		t.Errorf("third page: %s of %d", got, total)
	}
	found, _, err := w.Search(t.Context(), w.src(), "T1006", "", "", people.Page{})
	if ok(t, err); len(found) != 1 || len(found[0].Posts) != 2 || found[0].Posts[0] != "社区办" || found[0].UnitName != "社区办" {
		t.Errorf("found %+v", found)
	}
}
