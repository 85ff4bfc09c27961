package people_test

import (
	"errors"
	"strings"
	"testing"

	"campusgate/server/people"
	"campusgate/server/store"
)

func TestPerson_CQ054_NumbersAreSealedMaskedAndFound(t *testing.T) {
	w := newWorld(t)
	const phone, number = "13800130001", "999001197001120019"
	w.add(t, people.Person{ID: "T1", Name: "周敏", Kind: people.Staff, Phone: phone, IDNumber: number})

	if p := w.person(t, "T1"); p.Phone != "" || p.IDNumber != "" || p.Name != "周敏" || p.State != people.Active {
		t.Fatalf("Find gives %+v", p)
	}
	p, err := w.Details(t.Context(), w.src(), "T1")
	if ok(t, err); p.Phone != phone || p.IDNumber != number {
		t.Fatalf("Details gives %+v", p)
	}
	list, total, err := w.List(t.Context(), w.src(), people.PersonQuery{})
	if ok(t, err); total != 1 || list[0].Phone != "138****0001" || list[0].IDNumber != "999***********0019" {
		t.Fatalf("List gives %d %+v", total, list)
	}
	for _, written := range []string{phone, "+86 138-0013-0001", "１３８００１３０００１"} {
		if p, err := w.ByPhone(t.Context(), w.src(), written); err != nil || p.ID != "T1" || p.Phone != "" {
			t.Errorf("ByPhone(%q) gives %+v, %v", written, p, err)
		}
	}
	for _, text := range []string{phone, number, "T1", "周"} {
		if list, _, err := w.List(t.Context(), w.src(), people.PersonQuery{Text: text}); err != nil || ids(list) != "T1" {
			t.Errorf("List(%q) gives %v, %v", text, list, err)
		}
	}
	if list, _, err := w.List(t.Context(), w.src(), people.PersonQuery{Text: phone[:10]}); err != nil || len(list) != 0 {
		t.Errorf("a part of a phone finds %v, %v", list, err)
	}
	for what, text := range map[string]string{"files": w.files(t), "trail": w.trail(t)} {
		if strings.Contains(text, phone) || strings.Contains(text, number) {
			t.Errorf("the %s of the database hold a number in plain", what)
		}
	}
	if !strings.Contains(w.files(t), "周敏") {
		t.Fatal("the files were not read")
	}
	if strings.Contains(w.trail(t), "周敏") {
		t.Error("the trail names the person")
	}
}

func TestPerson_CQ002_CQ063_KindsFallIntoTheGroupsOfRules(t *testing.T) {
	for kind, want := range map[people.Kind]people.Kind{
		people.Staff: people.Staff, people.Contract: people.Staff, people.Worker: people.Staff, people.Retired: people.Retired,
		people.Student: people.Student, people.Resident: people.Resident, people.Outside: people.Outside,
	} {
		w := newWorld(t)
		w.add(t, people.Person{ID: "P1", Name: "周敏", Kind: kind})
		p, found, err := w.Directory(w.src()).Person("P1")
		if ok(t, err); !found || p.Kind != string(want) {
			t.Errorf("%s is %q to the flows, want %s", kind, p.Kind, want)
		}
	}
}

func TestPerson_PhoneBelongsToOneActivePerson(t *testing.T) {
	w := newWorld(t)
	const phone = "13800130001"
	w.add(t, people.Person{ID: "T1", Name: "周敏", Kind: people.Staff, Phone: phone})
	second := people.Person{ID: "T2", Name: "陈立", Kind: people.Staff, Phone: phone}
	for _, fn := range []func(*store.Tx) error{
		func(tx *store.Tx) error { _, err := w.AddPerson(tx, actor, second); return err },
		func(tx *store.Tx) error { _, err := w.AddResident(tx, actor, phone); return err },
	} {
		w.refused(t, "phone", fn)
	}
	if err := w.Change(t.Context(), func(tx *store.Tx) error { _, err := w.AddResident(tx, actor, phone); return err }); !errors.Is(err, store.ErrTaken) {
		t.Fatalf("got %v, want ErrTaken", err)
	}
	// Who leaves gives the phone up, and does not get it back from another.
	state := people.Left
	w.change(t, func(tx *store.Tx) error {
		_, err := w.UpdatePerson(tx, actor, "T1", people.PersonChange{State: &state})
		return err
	})
	w.add(t, second)
	if p, err := w.ByPhone(t.Context(), w.src(), phone); err != nil || p.ID != "T2" {
		t.Fatalf("the phone is %+v, %v", p, err)
	}
	state = people.Active
	w.refused(t, "phone", func(tx *store.Tx) error {
		_, err := w.UpdatePerson(tx, actor, "T1", people.PersonChange{State: &state})
		return err
	})
}

func TestPerson_ResidentsGetNumbersOfOurOwn(t *testing.T) {
	w := newWorld(t)
	var made people.Person
	w.change(t, func(tx *store.Tx) (err error) {
		made, err = w.AddResident(tx, actor, "13800130021")
		return err
	})
	if made.ID != "r000001" || made.Kind != people.Resident || made.Name != "" {
		t.Fatalf("first resident %+v", made)
	}
	if p := w.add(t, people.Person{Name: "白敏", Kind: people.Outside}); p.ID != "r000002" {
		t.Fatalf("an outsider is %s", p.ID)
	}
	w.refused(t, "number", func(tx *store.Tx) error {
		_, err := w.AddPerson(tx, actor, people.Person{ID: "R000003", Name: "白敏", Kind: people.Resident})
		return err
	})
	w.refused(t, "number", func(tx *store.Tx) error {
		_, err := w.AddPerson(tx, actor, people.Person{Name: "周敏", Kind: people.Staff})
		return err
	})
	// Somebody without a name yet can still change phone and mail.
	w.change(t, func(tx *store.Tx) error { return w.SetPhone(tx, actor, "r000001", "13800130022") })
	w.change(t, func(tx *store.Tx) error { return w.SetMail(tx, actor, "r000001", "a@yunling.example") })
	p, err := w.Details(t.Context(), w.src(), "r000001")
	if ok(t, err); p.Phone != "13800130022" || p.Mail != "a@yunling.example" {
		t.Fatalf("after the changes %+v", p)
	}
}

func TestPerson_ChangeTouchesOnlyWhatIsNamed(t *testing.T) {
	w := sampled(t)
	before, err := w.Details(t.Context(), w.src(), "S26001")
	ok(t, err)
	name, trail := "何一凡", w.trail(t)
	w.change(t, func(tx *store.Tx) error {
		_, err := w.UpdatePerson(tx, actor, "S26001", people.PersonChange{Name: &name})
		return err
	})
	after, err := w.Details(t.Context(), w.src(), "S26001")
	ok(t, err)
	before.Name = name
	if after != before {
		t.Fatalf("%+v became %+v", before, after)
	}
	if said := strings.TrimPrefix(w.trail(t), trail); !strings.Contains(said, `"changed":["name"]`) || strings.Contains(said, name) {
		t.Fatalf("the trail says %s", said)
	}
	trail = w.trail(t)
	w.change(t, func(tx *store.Tx) error {
		_, err := w.UpdatePerson(tx, actor, "S26001", people.PersonChange{Name: &name})
		return err
	})
	if w.trail(t) != trail {
		t.Fatal("changing nothing leaves a trail")
	}
	err = w.Change(t.Context(), func(tx *store.Tx) error {
		_, err := w.UpdatePerson(tx, actor, "nobody", people.PersonChange{})
		return err
	})
	if !errors.Is(err, store.ErrNotFound) {
		t.Fatalf("nobody: %v", err)
	}
}

func TestPerson_TheLastAdministratorStays(t *testing.T) {
	w := sampled(t)
	left := people.Left
	leave := func(tx *store.Tx) error {
		_, err := w.UpdatePerson(tx, actor, "T1010", people.PersonChange{State: &left})
		return err
	}
	posts, err := w.PostsOf(t.Context(), w.src(), "T1010", w.Today())
	ok(t, err)
	end := func(tx *store.Tx) error { _, err := w.EndPost(tx, actor, posts[0].ID); return err }
	for _, fn := range []func(*store.Tx) error{leave, end} {
		if err := w.Change(t.Context(), fn); !errors.Is(err, store.ErrState) {
			t.Fatalf("got %v, want ErrState", err)
		}
	}
	w.change(t, func(tx *store.Tx) error {
		_, err := w.AddPost(tx, actor, people.Post{Role: people.Admin, Person: "T1011"})
		return err
	})
	w.change(t, leave)
	if posts, err := w.PostsOf(t.Context(), w.src(), "T1010", w.Today()); err != nil || len(posts) != 0 {
		t.Fatalf("who has left holds %v, %v", posts, err)
	}
}
