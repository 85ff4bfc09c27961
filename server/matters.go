package server

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"campusgate/configs"
	"campusgate/server/apply"
	"campusgate/server/issue"
	"campusgate/server/notify"
	"campusgate/server/paper"
	"campusgate/server/store"
	"campusgate/server/verify"
	"campusgate/signing"
)

// AttachmentFolder holds what people attach to applications, in the data
// folder.
const AttachmentFolder = "attachments"

// shippedFlows is the file that a new site begins with.
const shippedFlows = "passes.yaml"

// matters are the parts that keep applications and tell people of them.
type matters struct {
	apply  *apply.Service
	notify *notify.Service
	papers *paper.Service
}

func newMatters(ctx context.Context, s Settings, db *store.Store, signer *issue.Service, p persons, d Deps) (m matters, err error) {
	m.notify = notify.New(notify.Config{
		Store: db, Now: d.Now, Log: d.Log,
		Recipient: func(ctx context.Context, person string) (notify.Recipient, error) {
			who, err := p.people.Details(ctx, db.Reader(), person)
			return notify.Recipient{Person: who.ID, Name: who.Name, Phone: who.Phone}, err
		},
	})
	m.papers = paper.New(paper.Config{Store: db, Signer: signer, People: p.people, Now: d.Now, Location: s.Location})
	shipped, err := fs.ReadFile(configs.Flows(), shippedFlows)
	if err != nil {
		return m, fmt.Errorf("shipped flows: %w", err)
	}
	m.apply, err = apply.New(ctx, apply.Config{
		Store: db, Issue: signer, People: p.people, Notify: m.notify, Papers: m.papers, Now: d.Now, Location: s.Location, Random: d.Rand,
		Folder: filepath.Join(s.Data, AttachmentFolder), Log: d.Log,
	}, shippedFlows, shipped)
	if err != nil {
		return m, fmt.Errorf("flows: %w", err)
	}
	p.people.Roles = m.apply.Roles
	return m, nil
}

// newVerify makes the gate without a PC: it asks gates through the hub.
func (srv *Server) newVerify(location *time.Location) *verify.Service {
	return verify.New(verify.Config{
		Store: srv.db, Ask: srv.hub.Ask, Decide: srv.hub.Decide, Random: srv.deps.Rand, Now: srv.deps.Now,
		Guideline: srv.rules.Guideline, Location: location,
		Holder: func(ctx context.Context, id signing.PassID) (verify.Holder, bool, error) {
			h, ok, err := srv.matters.apply.HolderOf(ctx, id)
			return verify.Holder(h), ok, err
		},
	})
}
