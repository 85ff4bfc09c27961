package api

import (
	"context"
	"net/http"

	"campusgate/server/auth"
)

// DeskPrinter is a gate whose receipt printer can print paper passes now.
type DeskPrinter struct {
	Gate uint16 `json:"gate"`
	Name string `json:"name"`
}

// PaperPrint asks for a paper pass on a gate's receipt printer.
type PaperPrint struct {
	Gate uint16 `json:"gate" minimum:"1"`
	ID   string `json:"id" minLength:"8" maxLength:"64" pattern:"^[0-9A-Za-z-]+$" doc:"the caller's own; asked again with the same one, nothing is printed again"`
}

// PaperPrinted is what came of it.
type PaperPrinted struct {
	State  string `json:"state" enum:"done,failed,unknown" doc:"failed: nothing came out; unknown: look at the printer"`
	Reason string `json:"reason,omitempty" doc:"no_printer, paper_out, cover_open, fault, busy, interrupted, offline or silent"`
	Detail string `json:"detail,omitempty" doc:"what the device said"`
}

type printersOutput struct {
	Body struct {
		Items []DeskPrinter `json:"items"`
	}
}

type paperPrintInput struct {
	PaperPath
	Body PaperPrint
}

type paperPrintedOutput struct{ Body PaperPrinted }

func (a *API) paperPrintRoutes() {
	add(a, route{
		method: http.MethodGet, path: prefix + "/printers", scope: auth.Desk, id: "list-printers",
		text: "可以打印纸质通行证的校门 Gates whose receipt printers can print paper passes now",
	}, a.printers)
	add(a, route{
		method: http.MethodPost, path: prefix + "/papers/{number}/print", scope: auth.Desk, id: "print-paper",
		text:   "在校门的小票打印机上打印纸质通行证 Print a paper pass on a gate's receipt printer",
		errors: []int{http.StatusNotFound, http.StatusConflict},
	}, a.printPaper)
}

func (a *API) printers(ctx context.Context, _ *struct{}) (*printersOutput, error) {
	agents, err := a.Store.Agents(ctx)
	if err != nil {
		return nil, err
	}
	gates, err := a.Store.Gates(ctx)
	if err != nil {
		return nil, err
	}
	live := a.Hub.States()
	ready := map[uint16]bool{}
	for _, g := range agents {
		if st := live[g.ID]; st.Connected && st.Epoch == g.Epoch && g.RevokedAt == 0 && st.Health.Printer {
			ready[g.Gate] = true
		}
	}
	out := &printersOutput{}
	out.Body.Items = []DeskPrinter{}
	for _, g := range gates {
		if ready[g.ID] {
			out.Body.Items = append(out.Body.Items, DeskPrinter{Gate: g.ID, Name: g.Name})
		}
	}
	return out, nil
}

func (a *API) printPaper(ctx context.Context, in *paperPrintInput) (*paperPrintedOutput, error) {
	printed, refusal, err := a.Papers.Print(ctx, clerk(caller(ctx)), in.Number, in.Body.Gate, in.Body.ID)
	if err != nil {
		return nil, err
	}
	if refusal != nil {
		return nil, refused(ctx, refusal)
	}
	return &paperPrintedOutput{PaperPrinted{State: string(printed.State), Reason: string(printed.Reason), Detail: printed.Detail}}, nil
}
