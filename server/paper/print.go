package paper

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"campusgate/server/approval"
	"campusgate/server/store"
	"campusgate/signing/wire"
)

// Over is the code of a refusal: the pass was returned, lost or revoked, or its
// days are over.
const Over = "PAPER_PASS_OVER"

// Prints hands a slip to the receipt printer at a gate, and gives what came of
// it. The same id again prints nothing. *hub.Hub has one.
type Prints func(ctx context.Context, gate uint16, p wire.Print) wire.Printed

// Print prints a paper pass at a gate, for a clerk of the desk that handed it out.
// Asked with the same id again, for the same pass and gate, it prints nothing and
// says what came of the first time. Errors are store.ErrNotFound, store.ErrTaken
// where the id stands for another, and *Fault.
func (s *Service) Print(ctx context.Context, clerk Clerk, number string, gate uint16, id string) (wire.Printed, *approval.Refusal, error) {
	if err := wire.CheckPrintID(id); err != nil {
		return wire.Printed{}, nil, fault("id", "应为 8 到 64 个字母、数字或连字符", "want 8 to 64 letters, digits or hyphens")
	}
	p, slip, refused, err := s.printable(ctx, clerk, number)
	if err != nil || refused != nil {
		return wire.Printed{}, refused, err
	}
	slip.ID = id
	known, err := s.begin(ctx, clerk.Actor, p.Number, gate, id)
	if err != nil || known.State == wire.PrintDone || known.State == wire.PrintFailed {
		return known, nil, err
	}
	// What comes out is written down, whether or not somebody still waits for it.
	ctx = context.WithoutCancel(ctx)
	printed := s.Prints(ctx, gate, slip)
	return printed, nil, s.ended(ctx, clerk.Actor, p.Number, gate, printed)
}

// printable gives the sheet as a slip, unless there is nothing to hand out.
func (s *Service) printable(ctx context.Context, clerk Clerk, number string) (p Paper, slip wire.Print, refused *approval.Refusal, err error) {
	src := s.Store.Reader()
	if p, err = s.Find(ctx, src, number); err != nil {
		return p, slip, nil, err
	}
	desks, err := s.Desks(ctx, src)
	if err != nil {
		return p, slip, nil, err
	}
	desk := Desk{ID: p.Desk, Name: p.Desk}
	if i := slices.IndexFunc(desks, func(d Desk) bool { return d.ID == p.Desk }); i >= 0 {
		desk = desks[i]
	}
	if !clerk.worksAt(desk) {
		return p, slip, refuse(NotYourDesk, "您不在该窗口值班", "you do not work at this desk", nil), nil
	}
	pass, err := s.Store.Pass(ctx, p.Pass)
	if err != nil {
		return p, slip, nil, err
	}
	if p.State() != "issued" || pass.RevokedAt > 0 || pass.KeyCompromised || pass.Until*1000 <= s.Now().UnixMilli() {
		return p, slip, refuse(Over, "该纸质通行证已收回、挂失、作废或过期", "this paper pass was handed back, lost or revoked, or is out of date", nil), nil
	}
	return p, slipOf(s.Store.Site().Name, p, desk, pass.Code), nil, nil
}

// begin writes down that a pass is to be printed, or gives what is known of the
// same id.
func (s *Service) begin(ctx context.Context, actor, number string, gate uint16, id string) (known wire.Printed, err error) {
	var wrong error
	err = s.Store.Change(ctx, func(t *store.Tx) error {
		known, wrong = wire.Printed{ID: id}, nil
		var paper string
		var at uint16
		err := t.QueryRowContext(t.Context(), "SELECT paper, gate, state, reason, detail FROM prints WHERE id = $1", id).
			Scan(&paper, &at, &known.State, &known.Reason, &known.Detail)
		if err == nil {
			if paper != number || at != gate {
				wrong = fmt.Errorf("%w: the id of a print", store.ErrTaken)
			}
			return nil
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		var gates int
		if err := t.QueryRowContext(t.Context(), "SELECT count(*) FROM gates WHERE id = $1", gate).Scan(&gates); err != nil {
			return err
		}
		if gates == 0 {
			wrong = fault("gate", "没有这个校门", "there is no such gate")
			return nil
		}
		return errors.Join(
			t.Exec("INSERT INTO prints (id, paper, gate, asked_by, asked_at, state, reason, detail) VALUES ($1, $2, $3, $4, $5, '', '', '')",
				id, number, gate, actor, t.Now()),
			t.Trail(actor, "paper.print", "paper "+number, map[string]any{"gate": gate, "id": id}),
		)
	})
	return known, errors.Join(err, wrong)
}

// ended writes down what came of it.
func (s *Service) ended(ctx context.Context, actor, number string, gate uint16, p wire.Printed) error {
	return s.Store.Change(ctx, func(t *store.Tx) error {
		return errors.Join(
			t.Exec("UPDATE prints SET state = $1, reason = $2, detail = $3, ended_at = $4 WHERE id = $5",
				string(p.State), string(p.Reason), p.Detail, t.Now(), p.ID),
			t.Trail(actor, "paper.printed", "paper "+number, map[string]any{"gate": gate, "id": p.ID, "state": p.State, "reason": p.Reason}),
		)
	})
}

// sheetRules are what the holder has to know.
var sheetRules = [][2]string{
	{"出入校门时出示本证，配合门卫扫码、核对证件。", "Show this at the gate; let the guard scan it and see your document."},
	{"限本人及本户使用；持有期间不再申请通行二维码。", "For the holder and this household only; no codes can be applied for while it is out."},
	{"遗失请立即到窗口挂失，不用时请交回。", "Report a loss at the desk at once; hand it back when it is no longer needed."},
}

// slipOf is the sheet on the paper of a receipt printer.
func slipOf(site string, p Paper, d Desk, code string) wire.Print {
	rows := []wire.PrintRow{
		{Text: site, Align: wire.PrintCenter},
		{Text: "纸质通行证", Align: wire.PrintCenter, Large: true, Bold: true},
		{Text: "Paper pass", Align: wire.PrintCenter},
		{Text: p.Number, Align: wire.PrintCenter, Large: true, Bold: true},
		{QR: code},
		{Text: "姓名 Name", Right: p.Name, Bold: true},
	}
	for _, fact := range [][2]string{
		{"证件后四位 Document", p.Doc4},
		{"地址 Address", p.Address},
		{"自 From", p.From},
		{"至 Until", p.To},
		{"窗口 Desk", strings.TrimSpace(d.Name)},
	} {
		if fact[1] != "" {
			rows = append(rows, wire.PrintRow{Text: fact[0], Right: fact[1]})
		}
	}
	rows = append(rows, wire.PrintRow{Rule: true})
	for _, rule := range sheetRules {
		rows = append(rows, wire.PrintRow{Text: rule[0]}, wire.PrintRow{Text: rule[1]})
	}
	return wire.Print{Rows: rows}
}
