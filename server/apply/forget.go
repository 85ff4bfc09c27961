package apply

import (
	"context"
	"database/sql"
	"errors"

	"campusgate/server/approval"
	"campusgate/server/store"
)

// Forgotten is the title of a matter of which only the skeleton is left.
const Forgotten = "已清除 Erased"

// Forget takes everything personal out of at most limit matters that ended before
// a time (ms) and whose passes have ended before it too, or that lie with whoever
// began them since then; drafts that old are deleted. What stays is which flow it was, when, how it ended, which offices decided
// and the numbers of the persons. Attachments go with the next Tick.
func (s *Service) Forget(ctx context.Context, before int64, limit int) (n int, err error) {
	err = s.Store.Change(ctx, func(t *store.Tx) error {
		ids, err := matterIDs(t, `SELECT id FROM applications a WHERE title <> $1
			AND coalesce(ended_at, CASE WHEN state IN ('draft', 'withdrawn', 'returned') THEN coalesce(submitted_at, created_at) END) < $2
			AND NOT EXISTS (SELECT 1 FROM application_passes h JOIN passes p ON p.id = h.pass
				WHERE h.application = a.id AND p.valid_until > $3 AND p.revoked_at IS NULL)
			ORDER BY id LIMIT $4`, Forgotten, before, before/1000, limit)
		n = len(ids)
		for i := 0; i < n && err == nil; i++ {
			err = s.forget(t, ids[i])
		}
		return err
	})
	return n, err
}

// ForgetOf is Forget for everything that a person began, which must have ended,
// and takes the person's name out of what others began.
func (s *Service) ForgetOf(t *store.Tx, person string) error {
	began, err := matterIDs(t, "SELECT id FROM applications WHERE starter = $1", person)
	for i := 0; i < len(began) && err == nil; i++ {
		err = s.forget(t, began[i])
	}
	if err != nil {
		return err
	}
	// What was told to others names who began a matter, and who decided.
	err = t.Exec(`DELETE FROM messages WHERE link IN (SELECT '/applications/' || id FROM applications WHERE starter = $1
			UNION SELECT '/applications/' || application FROM application_boxes WHERE person = $2)
		AND (SELECT p.name <> '' AND instr(subject || text, p.name) > 0 FROM persons p WHERE p.id = $3)`, person, person, person)
	if err != nil {
		return err
	}
	seen, err := matterIDs(t, "SELECT DISTINCT application FROM application_boxes WHERE person = $1", person)
	for i := 0; i < len(seen) && err == nil; i++ {
		err = s.rewrite(t, seen[i], func(in *approval.Instance) {
			for k := range in.Trail {
				if in.Trail[k].Actor == person {
					in.Trail[k].ActorName = ""
				}
			}
		})
	}
	return errors.Join(err, t.Exec("DELETE FROM attachments WHERE owner = $1 AND NOT EXISTS (SELECT 1 FROM application_files h WHERE h.attachment = attachments.id)", person))
}

func matterIDs(t *store.Tx, query string, args ...any) ([]string, error) {
	return store.List(t.Context(), t, func(rows *sql.Rows) (id string, err error) {
		err = rows.Scan(&id)
		return id, err
	}, query, args...)
}

func (s *Service) forget(t *store.Tx, id string) error {
	var state approval.State
	if err := t.QueryRowContext(t.Context(), "SELECT state FROM applications WHERE id = $1", id).Scan(&state); err != nil {
		return err
	}
	if err := t.Exec("DELETE FROM application_files WHERE application = $1", id); err != nil {
		return err
	}
	if state == approval.Draft {
		return errors.Join(
			t.Exec("DELETE FROM application_boxes WHERE application = $1", id),
			t.Exec("DELETE FROM applications WHERE id = $1", id),
		)
	}
	err := s.rewrite(t, id, func(in *approval.Instance) {
		in.Title, in.Form, in.Comments, in.Records, in.Starter.Name = Forgotten, map[string]any{}, nil, nil, ""
		in.Starter.Phone = ""
		for i := range in.Tasks {
			in.Tasks[i].Opinion, in.Tasks[i].Values = "", nil
		}
		for i := range in.Trail {
			in.Trail[i].ActorName, in.Trail[i].Opinion, in.Trail[i].Attachments = "", "", nil
		}
		for i := range in.Ratings {
			in.Ratings[i].Text = ""
		}
	})
	return errors.Join(err,
		t.Exec(`UPDATE applications SET title = $1, starter_name = '', remind_at = NULL, client_key = NULL, request = NULL
			WHERE id = $2`, Forgotten, id),
		t.Exec("UPDATE archive SET title = $1 WHERE application = $2", Forgotten, id))
}

// rewrite changes the body of a matter and nothing that lists go by.
func (s *Service) rewrite(t *store.Tx, id string, change func(*approval.Instance)) error {
	r, err := s.find(t.Context(), t, id)
	if err != nil {
		return err
	}
	change(&r.Instance)
	body, err := s.sealed(&r.Instance)
	if err != nil {
		return err
	}
	return t.Exec("UPDATE applications SET body = $1 WHERE id = $2", body, id)
}
