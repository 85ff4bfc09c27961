package apply_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"campusgate/server/apply"
	"campusgate/server/approval"
	"campusgate/server/issue"
	"campusgate/server/people"
	"campusgate/server/store"
)

var pdf = []byte("%PDF-1.7\n1 0 obj\n<<>>\nendobj\n")

// post gives somebody a post of a flow.
func (w *world) post(t testing.TB, role, person string) {
	t.Helper()
	w.change(t, func(tx *store.Tx) error {
		_, err := w.people.AddPost(tx, "test", people.Post{Role: role, Person: person})
		return err
	})
}

func (w *world) attach(t testing.TB, person, name string, content []byte) apply.Attachment {
	t.Helper()
	a, err := w.Attach(t.Context(), by(person), name, content)
	ok(t, err)
	return a
}

func (w *world) files(t testing.TB) int {
	t.Helper()
	list, err := os.ReadDir(filepath.Join(w.dir, "attachments"))
	if errors.Is(err, os.ErrNotExist) {
		return 0
	}
	ok(t, err)
	return len(list)
}

func TestAttach_OnlyWhatItsNameSays(t *testing.T) {
	w := newWorld(t)
	docx := []byte("PK\x03\x04 [Content_Types].xml word/document.xml")
	for name, content := range map[string][]byte{
		"说明.pdf": pdf, "b.PNG": []byte("\x89PNG\r\n\x1a\n…"), "c.jpg": []byte("\xff\xd8\xff\xe0"), "d.txt": []byte("值班表\n"), "e.docx": docx,
		"f.xls": []byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), "g.webp": []byte("RIFF\x00\x00\x00\x00WEBPVP8 "),
	} {
		a := w.attach(t, teacher, name, content)
		if a.Name != name || a.Type == "" || a.Size != int64(len(content)) {
			t.Errorf("%s: %+v", name, a)
		}
	}
	kept := w.files(t)
	for name, content := range map[string][]byte{
		"empty.pdf": {}, "a.exe": []byte("MZ"), "page.html": []byte("<script>"), "a.pdf": []byte("<html>"), "a.png": pdf, "a.svg": []byte("<svg/>"),
		"a.txt": []byte("<html><script>x</script></html>"), "b.txt": []byte("a\x00b"), "a.xlsx": docx, "noname": pdf,
		"big.pdf": append(bytes.Clone(pdf), make([]byte, apply.MaxAttachment)...),
	} {
		if _, err := w.Attach(t.Context(), by(teacher), name, content); !errors.Is(err, issue.ErrInvalid) {
			t.Errorf("%s was taken: %v", name, err)
		}
	}
	if w.files(t) != kept {
		t.Error("a refused file was kept")
	}
}

func TestAttach_NamesAreOnlyNames(t *testing.T) {
	w := newWorld(t)
	for given, want := range map[string]string{
		"../../etc/passwd.txt": "passwd.txt", `C:\docs\值班.txt`: "值班.txt", "a\u202etxt.pdf.txt": "atxt.pdf.txt", "a\r\nb.txt": "ab.txt",
		strings.Repeat("长", 10_000) + ".txt": strings.Repeat("长", 100) + ".txt",
		"bad\xff.txt":                        "bad.txt", "=1+1.txt": "=1+1.txt", "🙂.txt": "🙂.txt",
	} {
		if a := w.attach(t, teacher, given, []byte("x")); a.Name != want {
			t.Errorf("%.40q became %q", given, a.Name)
		}
	}
}

func TestAttach_ZA019_WhoMaySeeTheMatterMaySeeItsFiles(t *testing.T) {
	w := newWorld(t)
	w.publish(t, "hall.yaml")
	file := w.attach(t, teacher, "说明.pdf", pdf)
	can := func(person string, admin bool) bool {
		t.Helper()
		_, content, err := w.OpenAttachment(t.Context(), apply.Actor{Person: person, Admin: admin}, file.ID)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			t.Fatal(err)
		}
		if err == nil && !bytes.Equal(content, pdf) {
			t.Error("another content")
		}
		return err == nil
	}
	if !can(teacher, false) || can(head, false) || can("T1010", true) {
		t.Error("before it is in a matter")
	}
	in := w.submit(t, teacher, "zzu.letter", form{"contact": "13800130001", "reason": "介绍信", "files": []any{file.ID}})
	if !can(head, false) || can(w.lin, false) || !can("T1010", true) {
		t.Error("in a matter")
	}
	a, err := w.View(t.Context(), by(head), in.ID)
	ok(t, err)
	if len(a.Files) != 1 || a.Files[0].Name != "说明.pdf" {
		t.Errorf("files %+v", a.Files)
	}
	// Nobody reads it by naming it in a form of their own.
	for _, id := range []string{file.ID, strings.Repeat("0", 32), "../x"} {
		w.refused(t, "T1003", "zzu.letter", form{"contact": "13800130003", "reason": "x", "files": []any{id}}, approval.FieldInvalid)
	}
	if can("T1003", false) {
		t.Error("a thief reads it")
	}
	// A handler attaches one of their own to an opinion.
	note := w.attach(t, head, "意见.txt", []byte("同意"))
	w.decide(t, head, in.ID, "agree", func(a *approval.Act) { a.Attachments = []string{note.ID} })
	if a, err = w.View(t.Context(), by(teacher), in.ID); err != nil || a.Trail[len(a.Trail)-1].Attachments[0].Name != "意见.txt" {
		t.Fatalf("trail %+v, %v", a.Trail, err)
	}
	if _, _, err := w.OpenAttachment(t.Context(), by(teacher), note.ID); err != nil {
		t.Errorf("the applicant: %v", err)
	}
}

func TestTick_ForgetsLooseAttachments(t *testing.T) {
	w := newWorld(t)
	w.publish(t, "hall.yaml")
	loose, held := w.attach(t, teacher, "a.pdf", pdf), w.attach(t, teacher, "b.pdf", pdf)
	in, _, err := w.Create(t.Context(), by(teacher), apply.Request{Flow: "zzu.letter", Form: form{"files": []any{held.ID}}})
	ok(t, err)
	w.at(t, "2026-05-09 08:00")
	ok(t, w.Tick(t.Context()))
	if _, _, err := w.OpenAttachment(t.Context(), by(teacher), loose.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a loose one: %v", err)
	}
	_, _, err = w.OpenAttachment(t.Context(), by(teacher), held.ID)
	ok(t, err)
	if w.files(t) != 1 {
		t.Errorf("%d files", w.files(t))
	}
	w.act(t, by(teacher), in.ID, approval.Act{Verb: approval.Discard})
	ok(t, w.Tick(t.Context()))
	if w.files(t) != 0 {
		t.Errorf("%d files of a discarded draft", w.files(t))
	}
}
