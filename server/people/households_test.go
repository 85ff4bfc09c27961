package people_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"campusgate/server/people"
	"campusgate/server/store"
)

func splitIDs(text string) []string { return strings.Fields(text) }

func TestPlaces_CQ026_CQ027_TheCampusAddresses(t *testing.T) {
	w := sampled(t)
	all, err := w.Places(t.Context(), w.src())
	ok(t, err)
	got := map[string]string{}
	police := map[string]string{}
	for _, c := range all {
		police[c.ID] = c.Police
		for _, k := range c.Compounds {
			got[c.ID] += k.Name + " "
			if !k.OnCampus || len(k.Buildings) == 0 || len(k.Buildings[0].Rooms) == 0 {
				t.Errorf("%s: %+v", k.Name, k)
			}
		}
	}
	for campus, want := range map[string]string{
		"A": "新华村 松林坡 东林村 柏树林 重大花园 ", "B": "建工东村 建工新村 ", "C": "渝碚路131号 ",
	} {
		if got[campus] != want {
			t.Errorf("campus %s has %s", campus, got[campus])
		}
	}
	if police["A"] != "沙坪坝派出所" || police["B"] != "沙坪坝派出所" || police["C"] != "渝碚路派出所" {
		t.Errorf("police stations %v", police)
	}
}

func TestPlaces_CQ046_CQ047_CQ048_AreChosenStepByStep(t *testing.T) {
	w := sampled(t)
	compounds, err := w.Compounds(t.Context(), w.src())
	if ok(t, err); len(compounds) != 8 || compounds[1] != "松林坡" {
		t.Errorf("compounds %v", compounds)
	}
	buildings, err := w.Buildings(t.Context(), w.src(), " 松林坡 ")
	if ok(t, err); !slices.Equal(buildings, []string{"3栋", "10栋"}) {
		t.Errorf("buildings %v", buildings)
	}
	rooms, err := w.Rooms(t.Context(), w.src(), "松林坡", "3 栋")
	if ok(t, err); !slices.Equal(rooms, []string{"101", "102", "201"}) {
		t.Errorf("rooms %v", rooms)
	}
	if none, err := w.Rooms(t.Context(), w.src(), "松林坡", "99栋"); err != nil || len(none) != 0 {
		t.Errorf("no building, rooms %v, %v", none, err)
	}
}

func TestHousehold_CQ003_EveryVerifiedPhoneSharesIt(t *testing.T) {
	w := sampled(t)
	var first int64
	for _, phone := range []string{"13800130021", "13800130022", "13800130023"} {
		p, err := w.ByPhone(t.Context(), w.src(), phone)
		ok(t, err)
		h, found, err := w.HouseholdOf(t.Context(), w.src(), p.ID, "松林坡", "3栋", "201", "林国栋")
		ok(t, err)
		if !found || h.VerifiedAt == 0 || len(h.Members) != 3 || first != 0 && h.ID != first {
			t.Fatalf("%s: %v %+v", phone, found, h)
		}
		first = h.ID
	}
	// Tenants of the same flat under a head of their own are another household.
	var tenants people.Household
	w.change(t, func(tx *store.Tx) (err error) {
		tenants, err = w.AddHousehold(tx, actor, people.NewHousehold{
			Place: people.Place{Compound: "松林坡", Building: "3栋", Room: "201"}, Head: "石磊",
			Members: []people.NewMember{{Name: "石磊", Phone: "13800130031", Relation: "户主"}},
		})
		return err
	})
	if tenants.ID == first || tenants.VerifiedAt != 0 || tenants.Address != "松林坡 3栋 201" || tenants.Campus != "A" {
		t.Fatalf("tenants %+v", tenants)
	}
	if m := tenants.Members[0]; m.Phone != "138****0031" || m.Name != "石磊" || m.Since != "2026-11-21" {
		t.Errorf("member %+v", m)
	}
	w.refused(t, "head", func(tx *store.Tx) error {
		_, err := w.AddHousehold(tx, actor, people.NewHousehold{Place: people.Place{Compound: "松林坡", Building: "3栋", Room: "201"}, Head: " 石磊 "})
		return err
	})
}

func TestHousehold_CQ045_CQ046_CQ047_CQ048_IsFoundByWhatItsMembersType(t *testing.T) {
	w := sampled(t)
	p, err := w.ByPhone(t.Context(), w.src(), "13800130022")
	ok(t, err)
	find := func(person, compound, building, room, head string) bool {
		t.Helper()
		_, found, err := w.HouseholdOf(t.Context(), w.src(), person, compound, building, room, head)
		ok(t, err)
		return found
	}
	for _, c := range [][4]string{
		{"松林坡", "3栋", "201", "林国栋"},
		{" 松林坡", "3 栋", "201", " 林国栋 "},
		{"松林坡", "\uFF13栋", "\uFF12\uFF10\uFF11", "林国栋\u3000"}, // full-width digits and space
	} {
		if !find(p.ID, c[0], c[1], c[2], c[3]) {
			t.Errorf("%q is not found", c)
		}
	}
	for _, c := range [][4]string{
		{"新华村", "3栋", "201", "林国栋"},
		{"松林坡", "10栋", "201", "林国栋"},
		{"松林坡", "3栋", "101", "林国栋"},
		{"松林坡", "3栋", "201", "林国"},
		{"松林坡", "3栋", "201", ""},
		{"松林坡", "3栋", "201", "%"},
		{"", "", "", ""},
	} {
		if find(p.ID, c[0], c[1], c[2], c[3]) {
			t.Errorf("%q is found", c)
		}
	}
	if find("T1001", "松林坡", "3栋", "201", "林国栋") {
		t.Error("a stranger finds the household")
	}
	w.change(t, func(tx *store.Tx) error { return w.RemoveMember(tx, actor, 1, p.ID) })
	if find(p.ID, "松林坡", "3栋", "201", "林国栋") {
		t.Error("who was taken out still finds it")
	}
}

func TestHousehold_CQ012_CampusOfARetiredPerson(t *testing.T) {
	w := sampled(t)
	for person, want := range map[string]string{
		"T0901": "A", // by the unit
		"T0902": "B", // by the household
		"T1003": "A", // by the unit above
		"T1008": "A", "r000001": "",
	} {
		if got, err := w.CampusOf(t.Context(), w.src(), person); err != nil || got != want {
			t.Errorf("%s lives on campus %q, %v; want %q", person, got, err, want)
		}
	}
}

func TestHousehold_MembersAreWhoTheyAre(t *testing.T) {
	w := sampled(t)
	add := func(m people.NewMember) (h people.Household, err error) {
		err = w.Change(t.Context(), func(tx *store.Tx) error {
			h, err = w.AddMember(tx, actor, 2, m)
			return err
		})
		return h, err
	}
	// A staff member by phone, by ID number, by number: always the same person.
	for _, m := range []people.NewMember{
		{Name: "钱芳", Phone: "13800130005", Relation: "女儿"},
		{Name: "钱芳", IDNumber: "999001197602210052", Relation: "女儿"},
		{Person: "T1005", Relation: "女儿"},
	} {
		if h, err := add(m); err != nil || len(h.Members) != 3 || !strings.Contains(members(h), "T1005") {
			t.Fatalf("%+v: %v, %s", m, err, members(h))
		}
	}
	for field, m := range map[string]people.NewMember{
		"name":      {Name: "钱方", Phone: "13800130005"},
		"id_number": {Name: "钱芳", Phone: "13800130005", IDNumber: "999001197001120019"},
		"phone":     {Name: "钱芳", IDNumber: "999001197602210052", Phone: "13800130099"},
		"person":    {Person: "nobody"},
		"since":     {Name: "新人", Since: "soon"},
	} {
		w.refused(t, field, func(tx *store.Tx) error { _, err := w.AddMember(tx, actor, 2, m); return err })
	}
	// A resident who signed in before anybody knew the name gets it here.
	var r people.Person
	w.change(t, func(tx *store.Tx) (err error) { r, err = w.AddResident(tx, actor, "13800130041"); return err })
	h, err := add(people.NewMember{Name: "杨柳", Phone: "13800130041"})
	if err != nil || w.person(t, r.ID).Name != "杨柳" || !strings.Contains(members(h), r.ID) {
		t.Fatalf("%v, %s, %+v", err, members(h), w.person(t, r.ID))
	}
	// A child without any number is one child, however often it is named.
	for range 2 {
		if h, err = add(people.NewMember{Name: "杨小满", Relation: "孙女"}); err != nil || len(h.Members) != 5 {
			t.Fatalf("%v, %s", err, members(h))
		}
	}
}

func members(h people.Household) string {
	all := ""
	for _, m := range h.Members {
		all += m.Person + " "
	}
	return all
}

func TestHousehold_ARefusedMemberLeavesNothingBehind(t *testing.T) {
	w := sampled(t)
	w.refused(t, "members[1].phone", func(tx *store.Tx) error {
		_, err := w.AddHousehold(tx, actor, people.NewHousehold{
			Place: people.Place{Compound: "松林坡", Building: "99栋", Room: "1"}, Head: "石磊",
			Members: []people.NewMember{{Name: "石磊", Phone: "13800130051"}, {Name: "石鑫", Phone: "13800130051"}},
		})
		return err
	})
	w.refused(t, "members[0].phone", func(tx *store.Tx) error { // T1001 is known without it, and it is T1002's
		_, err := w.AddHousehold(tx, actor, people.NewHousehold{
			Place: people.Place{Compound: "松林坡", Building: "99栋", Room: "1"}, Head: "白敏",
			Members: []people.NewMember{{Person: "T1001", Phone: "13800130002"}},
		})
		return err
	})
	w.refused(t, "compound", func(tx *store.Tx) error {
		_, err := w.AddHousehold(tx, actor, people.NewHousehold{Place: people.Place{Compound: "松林", Building: "3栋", Room: "1"}, Head: "石磊"})
		return err
	})
	if b, err := w.Buildings(t.Context(), w.src(), "松林坡"); err != nil || slices.Contains(b, "99栋") {
		t.Errorf("a building was left behind: %v, %v", b, err)
	}
}

func TestHousehold_IsVerifiedOnceAndAgainAfterAChange(t *testing.T) {
	w := sampled(t)
	place := people.Place{Compound: "建工新村", Building: "2栋", Room: "101"}
	var h people.Household
	change := func(head string) {
		w.change(t, func(tx *store.Tx) (err error) { h, err = w.UpdateHousehold(tx, actor, 2, place, head); return err })
	}
	verify := func(who string) {
		w.change(t, func(tx *store.Tx) (err error) { h, err = w.VerifyHousehold(tx, who, 2); return err })
	}
	if change("杨素珍"); h.VerifiedAt == 0 {
		t.Fatal("changing nothing took the verification away")
	}
	if change("杨帆"); h.VerifiedAt != 0 || h.Head != "杨帆" {
		t.Fatalf("under another head %+v", h)
	}
	verify("T1006")
	w.now.Add(1000)
	if verify("T1007"); h.VerifiedBy != "T1006" || h.VerifiedAt != w.now.Load()-1000 {
		t.Fatalf("verified %+v", h)
	}
	err := w.Change(t.Context(), func(tx *store.Tx) error { _, err := w.VerifyHousehold(tx, actor, 99); return err })
	if !errors.Is(err, store.ErrNotFound) {
		t.Fatalf("nothing to verify: %v", err)
	}
}

func TestHouseholds_AreListedByWhatADeskAsks(t *testing.T) {
	w := sampled(t)
	yes, no := true, false
	for _, c := range []struct {
		q    people.HouseholdQuery
		want int
	}{
		{people.HouseholdQuery{}, 2},
		{people.HouseholdQuery{Text: "林国栋"}, 1},
		{people.HouseholdQuery{Text: "许文娟"}, 1},         // a member
		{people.HouseholdQuery{Text: "13800130023"}, 1}, // a member's phone
		{people.HouseholdQuery{Text: "1380013002"}, 0},  // a part of it
		{people.HouseholdQuery{Text: "松林坡 3栋"}, 1},
		{people.HouseholdQuery{Text: "%"}, 0},
		{people.HouseholdQuery{Compound: "建工新村"}, 1},
		{people.HouseholdQuery{Verified: &yes}, 2},
		{people.HouseholdQuery{Verified: &no}, 0},
	} {
		list, total, err := w.Households(t.Context(), w.src(), c.q)
		if err != nil || total != c.want || len(list) != c.want {
			t.Errorf("%+v: %d %d, %v; want %d", c.q, total, len(list), err, c.want)
		}
	}
}
