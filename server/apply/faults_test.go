package apply_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"campusgate/server/apply"
	"campusgate/server/approval"
	"campusgate/server/notify"
	"campusgate/server/store"
)

var errPost = errors.New("no messages today")

// brokenPost fails before it has posted anything, or after.
type brokenPost struct {
	notify.Poster
	after bool
}

func (b brokenPost) Post(t *store.Tx, messages []notify.Message) error {
	if b.after {
		if err := b.Poster.Post(t, messages); err != nil {
			return err
		}
	}
	return errPost
}

func (w *world) rows(t testing.TB) map[string]int {
	t.Helper()
	counts := map[string]int{}
	for _, table := range []string{
		"applications", "application_boxes", "application_passes", "passes", "quota_entries", "serials", "messages", "trail", "application_files",
	} {
		var n int
		ok(t, w.db.Reader().QueryRowContext(t.Context(), "SELECT count(*) FROM "+table).Scan(&n))
		counts[table] = n
	}
	return counts
}

func TestFaults_AllOfAStepOrNothing(t *testing.T) {
	for name, after := range map[string]bool{"failed": false, "failed but done": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.verify(t, w.lin, false)
			running := w.submit(t, teacher, workFlow, work("2026-05-01", "2026-05-02"))
			task := w.task(t, head, running.ID)
			before := w.rows(t)
			w.Notify = brokenPost{w.news, after}
			_, _, err := w.Create(t.Context(), by(w.lin), apply.Request{Flow: residentFlow, Form: atHome("2026-05-02"), Submit: true, Key: "k"})
			if !errors.Is(err, errPost) {
				t.Fatalf("error %v", err)
			}
			agree := approval.Act{Verb: approval.Decide, Task: task, Outcome: "agree"}
			if _, _, err := w.Act(t.Context(), by(head), running.ID, agree); !errors.Is(err, errPost) {
				t.Fatalf("error %v", err)
			}
			for table, n := range w.rows(t) {
				if n != before[table] {
					t.Errorf("%s: %d rows, before %d", table, n, before[table])
				}
			}
			w.Notify = w.news
			w.act(t, by(head), running.ID, agree)
			in, _, err := w.Create(t.Context(), by(w.lin), apply.Request{Flow: residentFlow, Form: atHome("2026-05-02"), Submit: true, Key: "k"})
			ok(t, err)
			state(t, in, approval.Running)
		})
	}
}

// One that fails keeps nobody else's from being done in the same transaction.
func TestFaults_ARefusalTakesNobodyElseBack(t *testing.T) {
	w := newWorld(t)
	before := w.rows(t)["trail"]
	done := make(chan error)
	for i := range 20 {
		go func() {
			f := work("2026-05-01", "2026-05-02")
			if i%2 == 0 {
				f = work("2026-05-02", "2026-05-01")
			}
			_, _, err := w.Create(t.Context(), by(teacher), apply.Request{Flow: workFlow, Form: f, Submit: true})
			done <- err
		}()
	}
	for range 20 {
		ok(t, <-done)
	}
	if after := w.rows(t); after["applications"] != 10 || after["trail"]-before != 10 {
		t.Errorf("%d applications, %d lines of the trail", after["applications"], after["trail"]-before)
	}
}

func TestFaults_AttachmentsThatCannotBeWritten(t *testing.T) {
	w := newWorld(t)
	w.Folder = filepath.Join(w.dir, "x.db", "attachments") // below a file
	if _, err := w.Attach(t.Context(), by(teacher), "a.pdf", pdf); err == nil {
		t.Error("it was kept nowhere")
	}
	w.Folder = filepath.Join(w.dir, "attachments")
	a := w.attach(t, teacher, "a.pdf", pdf)
	ok(t, os.Remove(filepath.Join(w.Folder, a.ID)))
	if _, _, err := w.OpenAttachment(t.Context(), by(teacher), a.ID); err == nil || errors.Is(err, store.ErrNotFound) {
		t.Errorf("a lost file: %v", err)
	}
}

func TestFaults_RotatingTheKeyMeanwhile(t *testing.T) {
	w := newWorld(t)
	done := make(chan error)
	for range 5 {
		go func() { done <- w.signer.Rotate(t.Context(), "test", true) }()
		go func() {
			_, _, err := w.Create(t.Context(), by(w.yang), apply.Request{Flow: residentFlow, Form: atYangs("2026-05-01"), Submit: true})
			done <- err
		}()
	}
	for range 10 {
		ok(t, <-done)
	}
	w.only(t, w.yang)
}
