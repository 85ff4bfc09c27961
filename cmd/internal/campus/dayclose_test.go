package campus_test

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"campusgate/agent"
	"campusgate/agent/disk"
	"campusgate/agent/journal"
	"campusgate/cmd/internal/campus"
	"campusgate/server/store"
	"campusgate/signing/wire"
)

// dayOfLunch is a campus of the demo with a lunch of yesterday, still inside this
// process, its clock, and what was taken.
func dayOfLunch(t *testing.T, offline int) (c *campus.Campus, day string, fen int64) {
	t.Helper()
	now := campus.Yesterday(time.Now)
	c = start(t, campus.Options{Gates: []string{"东门 East Gate"}, Now: now})
	if err := errors.Join(c.Populate(t.Context()), c.OpenCanteen(t.Context(), "一号窗口 Till 1")); err != nil {
		t.Fatal(err)
	}
	people, err := c.Diners(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	till := c.Tills[0]
	fen, err = till.Lunch(t.Context(), now, people, 12)
	if err != nil {
		t.Fatal(err)
	}
	if offline > 0 {
		c.Network.Cut(true)
		more, err := till.Lunch(t.Context(), now, people, offline)
		if err != nil {
			t.Fatal(err)
		}
		fen += more
	}
	if err := till.Open(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	return c, now().In(time.FixedZone("", 8*3600)).Format(time.DateOnly), fen
}

// Finance closes yesterday: the till's own sum, the server's records and the
// merchant's account are the same to the fen.
func TestDayClose_TillServerAndMerchantAgree(t *testing.T) {
	t.Parallel()
	c, day, fen := dayOfLunch(t, 0)
	if err := c.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	even(t, c, day, fen)
	var closed struct {
		State string `json:"state"`
	}
	if err := c.Client.Do(t.Context(), http.MethodPost, "/api/v1/days/"+day+"/close", map[string]any{}, &closed); err != nil || closed.State != "closed" {
		t.Fatalf("close: %+v, %v", closed, err)
	}
	even(t, c, day, fen) // as it was
	sound(t, c)
	// The same till takes money today, as a process of its own.
	if err := c.Tills[0].Open(t.Context(), true); err != nil {
		t.Error(err)
	}
}

// One upload is deleted at the server before it is posted: the close is refused
// and names its number, until somebody answers for it.
func TestDayClose_ADeletedUploadIsNamed(t *testing.T) {
	t.Parallel()
	c, day, fen := dayOfLunch(t, 5)
	c.Suspend()
	lost := deliver(t, c, c.Tills[0], 14)
	c.Network.Cut(false)
	if err := c.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	settle := "/api/v1/days/" + day
	var r struct {
		Gaps []struct {
			Agent uint32 `json:"agent"`
			Epoch uint32 `json:"epoch"`
			From  uint64 `json:"from"`
			To    uint64 `json:"to"`
			Fen   int64  `json:"fen"`
		} `json:"gaps"`
		Checks struct {
			ServerFen   int64 `json:"server_fen"`
			MerchantFen int64 `json:"merchant_fen"`
		} `json:"checks"`
	}
	eventually(t, func() (bool, error) {
		err := c.Client.Do(t.Context(), http.MethodGet, settle, nil, &r)
		return r.Checks.MerchantFen == fen-lost.AmountFen, err
	})
	if len(r.Gaps) != 1 || r.Gaps[0].From != lost.Flow || r.Gaps[0].To != lost.Flow || r.Gaps[0].Fen != lost.AmountFen {
		t.Fatalf("gaps %+v, lost %+v", r.Gaps, lost)
	}
	var refusal *campus.Refusal
	err := c.Client.Do(t.Context(), http.MethodPost, settle+"/close", map[string]any{}, nil)
	if !errors.As(err, &refusal) || refusal.Code != "DAY_HAS_GAPS" {
		t.Fatalf("closed: %v", err)
	}
	said, err := json.Marshal(refusal.Details)
	if err != nil || !strings.Contains(string(said), fmt.Sprintf("till %d: 14", c.Tills[0].ID)) {
		t.Errorf("the refusal says %s, lost was %d: %v", said, lost.Flow, err)
	}
	waiver := map[string]any{"agent": r.Gaps[0].Agent, "epoch": r.Gaps[0].Epoch, "from": lost.Flow, "to": lost.Flow, "reason": "已与商户核对"}
	if err := c.Client.Do(t.Context(), http.MethodPost, settle+"/waivers", waiver, nil); err != nil {
		t.Fatal(err)
	}
	if err := c.Client.Do(t.Context(), http.MethodPost, settle+"/close", map[string]any{}, nil); err != nil {
		t.Fatal(err)
	}
	sound(t, c)
}

// deliver puts into the server's store what a till has not sent, but for the
// charge of a flow number, which it gives.
func deliver(t *testing.T, c *campus.Campus, k *campus.Till, flow uint64) (lost wire.Charge) {
	t.Helper()
	db, err := disk.Open(filepath.Join(k.Data, agent.StoreName))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	j, err := journal.Open(db)
	if err != nil {
		t.Fatal(err)
	}
	records, err := j.After(j.Last()-j.Queue(), wire.MaxBatch)
	if err != nil || uint64(len(records)) != j.Queue() {
		t.Fatalf("%d records of %d: %v", len(records), j.Queue(), err)
	}
	at, err := store.Open(t.Context(), c.Database, store.Options{Now: time.Now, Random: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = at.Close() }()
	id := j.Identity()
	if _, err := at.Ingest(t.Context(), id.Agent, id.Epoch, records); err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		var e wire.Event
		if err := json.Unmarshal(r.Body, &e); err != nil {
			t.Fatal(err)
		}
		if e.Charge == nil || e.Charge.Flow != flow {
			continue
		}
		lost = *e.Charge
		err := at.Change(t.Context(), func(x *store.Tx) error {
			return x.Exec("DELETE FROM events WHERE agent = $1 AND epoch = $2 AND seq = $3", id.Agent, id.Epoch, int64(r.Seq))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return lost
}
