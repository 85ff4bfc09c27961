package apply

import (
	"context"

	"campusgate/server/store"
)

// MaxExport is the most rows of a list that somebody takes away at once.
const MaxExport = 1000

// Export gives the first MaxExport rows of one of somebody's lists, to be made a
// file of, and how many there are. Whoever asks is taken to have got them: the
// trail says so before they are given. It has the filters but not the text that
// was looked for, which may be somebody's name.
func (s *Service) Export(ctx context.Context, who Actor, box Box, q Query) ([]Row, int, error) {
	all, total := []Row{}, 0
	q.Size = MaxPage
	for q.Page = 1; len(all) < MaxExport; q.Page++ {
		rows, n, err := s.List(ctx, who, box, q)
		if err != nil {
			return nil, 0, err
		}
		all, total = append(all, rows...), n
		if len(rows) < MaxPage {
			break
		}
	}
	err := s.Store.Change(ctx, func(t *store.Tx) error {
		return t.Trail(who.Name, "list.exported", "list "+string(box), map[string]any{
			"rows": len(all), "flow": q.Flow, "state": q.State, "from": q.From, "to": q.To, "text": q.Text != "",
		})
	})
	return all, total, err
}
