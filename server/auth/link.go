package auth

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"golang.org/x/text/unicode/norm"

	"campusgate/server/people"
	"campusgate/server/store"
)

// LinkPurpose is the purpose of links that make an administrator.
const LinkPurpose = "console"

// Founder is who redeems a link.
type Founder struct {
	Number, Name, Password string
}

// Redeem uses up a link: its holder becomes a person, an administrator, and is
// signed in; or nothing of it happens. Somebody whom an import has brought
// already keeps what is known of them. Errors: ErrLink, store.ErrUsed,
// store.ErrEnded, ErrBusy, or a *people.Fault.
func (a *Accounts) Redeem(ctx context.Context, key string, f Founder, c Client) (Entry, error) {
	link := hashOf(key)
	if err := a.openLink(ctx, a.Store.Reader(), link); err != nil {
		return Entry{}, err // before a password is hashed for nothing
	}
	person := people.Person{ID: numberOf(f.Number), Name: f.Name, Kind: people.Staff, State: people.Active}
	if err := checkPassword(f.Password, person); err != nil {
		var wrong *people.Fault
		if errors.As(err, &wrong) {
			wrong.Field = "password"
		}
		return Entry{}, err
	}
	s, err := a.newSecret()
	if err != nil {
		return Entry{}, err
	}
	hash, err := a.hasher.hash(ctx, norm.NFC.String(f.Password))
	if err != nil {
		return Entry{}, err
	}
	// The whole change fails when a part is refused: people may have been added
	// by then.
	err = a.Store.Change(ctx, func(t *store.Tx) error {
		if err := a.openLink(t.Context(), t, link); err != nil {
			return err
		}
		if err := t.Exec("UPDATE links SET used_at = $1 WHERE hash = $2", t.Now(), link); err != nil {
			return err
		}
		return a.found(t, person, hash, c, s)
	})
	if err != nil {
		return Entry{}, err
	}
	return a.entered(ctx, s)
}

// openLink refuses a link that is not there, was used, or is too old.
func (a *Accounts) openLink(ctx context.Context, src store.Source, hash []byte) error {
	var expires int64
	var used bool
	err := src.QueryRowContext(ctx, "SELECT expires_at, used_at IS NOT NULL FROM links WHERE hash = $1 AND purpose = $2", hash, LinkPurpose).
		Scan(&expires, &used)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return ErrLink
	case err != nil:
		return err
	case used:
		return fmt.Errorf("%w: the link", store.ErrUsed)
	case a.Now().UnixMilli() >= expires:
		return fmt.Errorf("%w: the link", store.ErrEnded)
	}
	return nil
}

// found makes the administrator with password and session.
func (a *Accounts) found(t *store.Tx, person people.Person, hash string, c Client, s secret) error {
	const actor = "link"
	known, err := a.active(t.Context(), t, person.ID)
	if err != nil {
		return err
	}
	if known.ID == "" {
		if known, err = a.People.AddPerson(t, actor, person); err != nil {
			return err
		}
	}
	posts, err := a.People.PostsOf(t.Context(), t, known.ID, a.People.Today())
	if err != nil {
		return err
	}
	if !ScopesOf(posts).May(Admin) {
		if _, err := a.People.AddPost(t, actor, people.Post{Role: people.Admin, Person: known.ID}); err != nil {
			return err
		}
	}
	if err := a.uncharge(t, known.ID); err != nil {
		return err
	}
	if err := a.setPassword(t, actor, known.ID, hash, false, 0); err != nil {
		return err
	}
	return a.begin(t, known.ID, WayLink, c, s)
}
