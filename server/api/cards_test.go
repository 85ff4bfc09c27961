package api_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"campusgate/server/api"
	"campusgate/server/people"
	"campusgate/server/store"
	"campusgate/signing"
	"campusgate/signing/code"
)

// cardOf opens and binds a card, and gives its holder's session.
func (w *world) cardOf(t testing.TB, number string) (who string, c api.Card) {
	t.Helper()
	who = w.someone(t, number)
	w.want(t, http.StatusCreated, "POST", "/api/v1/cards", map[string]any{"person": number}, nil)
	r := w.call(t, who, "POST", "/api/v1/cards/me/bind", map[string]any{"name": "林晓岚", "number": number})
	if r.into(t, &c); r.status != http.StatusOK {
		t.Fatalf("%d %s", r.status, r.body)
	}
	return who, c
}

// must makes a call and requires a status.
func (w *world) must(t testing.TB, who string, status int, method, path string, body, out any) {
	t.Helper()
	r := w.call(t, who, method, path, body)
	if r.status != status {
		t.Fatalf("%s %s: %d, want %d: %s", method, path, r.status, status, r.body)
	}
	if out != nil {
		r.into(t, out)
	}
}

func TestCards_CM080_CM081_CM082_BindAndSeeMyCard(t *testing.T) {
	w := newWorld(t)
	who := w.someone(t, "S1")
	w.refused(t, w.call(t, who, "GET", "/api/v1/cards/me", nil), 404, "NO_CARD")
	w.refused(t, w.call(t, who, "POST", "/api/v1/cards/me/bind", map[string]any{"name": "林晓岚", "number": "S1"}), 404, "NO_CARD")
	w.want(t, http.StatusCreated, "POST", "/api/v1/cards", map[string]any{"person": "S1"}, nil)
	w.refused(t, w.call(t, w.token, "POST", "/api/v1/cards", map[string]any{"person": "S1"}), 409, "CARD_EXISTS")
	for range 4 {
		w.refused(t, w.call(t, who, "POST", "/api/v1/cards/me/bind", map[string]any{"name": "周敏", "number": "S1"}), 422, "CARD_MISMATCH")
	}
	var c api.Card
	w.must(t, who, 200, "POST", "/api/v1/cards/me/bind", map[string]any{"name": "林晓岚", "number": "S1"}, &c)
	w.want(t, 200, "POST", "/api/v1/cards/"+c.Account+"/opening", map[string]any{"amount_fen": 5000}, nil)
	w.must(t, who, 200, "GET", "/api/v1/cards/me", nil, &c)
	if c.NameMasked != "**岚" || c.Number != "S1" || c.BalanceFen != 5000 || c.MainFen != 5000 || len(c.Account) != 8 || c.State != "active" || c.Password {
		t.Fatalf("%+v", c)
	}
	var page api.CardEntries
	w.must(t, who, 200, "GET", "/api/v1/cards/me/entries", nil, &page)
	if len(page.Entries) != 1 || page.Entries[0].Title.ZH != "期初余额" || page.Entries[0].BalanceFen != 5000 || page.Next != 0 {
		t.Fatalf("%+v", page)
	}
	var m api.CardStatement
	w.must(t, who, 200, "GET", "/api/v1/cards/me/statement?month=2026-11", nil, &m)
	if m.InFen != 5000 || m.ClosingFen != 5000 || len(m.Entries) != 1 {
		t.Fatalf("%+v", m)
	}
	w.refused(t, w.call(t, who, "GET", "/api/v1/cards/me/statement?month=x", nil), 422, "invalid")
	w.refused(t, w.call(t, who, "POST", "/api/v1/cards/me/disputes", map[string]any{"transfer": page.Entries[0].ID, "text": "?"}), 404, "not_found")
	last := w.call(t, who, "POST", "/api/v1/cards/me/bind", map[string]any{"name": "x", "number": "x"})
	for range 5 {
		last = w.call(t, who, "POST", "/api/v1/cards/me/bind", map[string]any{"name": "x", "number": "x"})
	}
	if w.refused(t, last, 429, "CARD_TRIES"); last.header.Get("Retry-After") == "" {
		t.Error("it does not say when")
	}
}

func TestCards_CM084_CM085_LossAndPasswordOfMine(t *testing.T) {
	w := newWorld(t)
	who, _ := w.cardOf(t, "S1")
	set := func(old, fresh string) reply {
		return w.call(t, who, "PUT", "/api/v1/cards/me/password", map[string]any{"old": old, "new": fresh})
	}
	w.refused(t, set("", "123456"), 422, "CARD_PASSWORD_WEAK")
	if r := set("", "274081"); r.status != 200 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	var c api.Card
	w.must(t, who, 200, "POST", "/api/v1/cards/me/loss", nil, &c)
	if c.State != "lost" || c.LostAt == 0 {
		t.Fatalf("%+v", c)
	}
	w.refused(t, w.call(t, who, "GET", "/api/v1/cards/me/code", nil), 409, "CARD_STATE")
	w.refused(t, w.call(t, who, "DELETE", "/api/v1/cards/me/loss", map[string]any{"password": "000000"}), 422, "CARD_PASSWORD")
	w.must(t, who, 200, "DELETE", "/api/v1/cards/me/loss", map[string]any{"password": "274081"}, &c)
	if c.State != "active" {
		t.Fatalf("%+v", c)
	}
	for range 5 {
		w.refused(t, set("000000", "935026"), 422, "CARD_PASSWORD")
	}
	if r := set("274081", "935026"); r.header.Get("Retry-After") == "" {
		t.Error("it does not say when")
	} else {
		w.refused(t, r, 429, "CARD_PASSWORD_LOCKED")
	}
	// Forgotten: by a code to the phone of the holder.
	w.refused(t, w.call(t, who, "POST", "/api/v1/cards/me/password/code", nil), 404, "not_found")
	ok(t, w.staff.Change(t.Context(), func(tx *store.Tx) error { return w.staff.SetPhone(tx, "test", "S1", "13800130001") }))
	w.must(t, who, 202, "POST", "/api/v1/cards/me/password/code", nil, nil)
	w.refused(t, w.call(t, who, "POST", "/api/v1/cards/me/password/reset", map[string]any{"code": "x"}), 422, "bad_code")
	w.must(t, who, 200, "POST", "/api/v1/cards/me/password/reset", map[string]any{"code": w.texts.codes["13800130001"]}, &c)
	if c.Password {
		t.Error("the password is still there")
	}
	if r := set("", "935026"); r.status != 200 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	if log := w.log.String(); strings.Contains(log, "274081") || strings.Contains(log, "935026") || strings.Contains(log, "13800130001") {
		t.Error("the log tells passwords or phones")
	}
}

func TestCards_CM072_PhoneEnrolsAndABrowserGetsBriefCodes(t *testing.T) {
	w := newWorld(t)
	who, _ := w.cardOf(t, "S1")
	w.must(t, who, 200, "PUT", "/api/v1/cards/me/password", map[string]any{"new": "274081"}, nil)
	var nonce api.CardNonce
	w.must(t, who, 201, "POST", "/api/v1/cards/me/keys/nonce", nil, &nonce)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ok(t, err)
	point, err := key.PublicKey.Bytes()
	ok(t, err)
	digest := sha256.Sum256(nonce.Message)
	r, s, err := ecdsa.Sign(rand.Reader, key, digest[:])
	ok(t, err)
	proof := append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	var cred api.CardCredential
	w.must(t, who, 201, "POST", "/api/v1/cards/me/keys", map[string]any{"public_key": point, "proof": proof}, &cred)
	read, err := code.Read(w.ring(t), cred.Credential.Credential)
	ok(t, err)
	if read.Pay == nil || read.ID().String() != nonce.Pass || cred.ExpiresAt != read.Pay.Expires*1000 || cred.Verifier == nil || cred.Verifier.KDF != "PBKDF2-SHA256" {
		t.Fatalf("%+v of %+v", read.Pay, cred)
	}
	var c api.Card
	w.must(t, who, 200, "GET", "/api/v1/cards/me", nil, &c)
	if c.Phone == nil || c.Phone.ID != cred.Phone || c.Phone.ExpiresAt != cred.ExpiresAt {
		t.Errorf("phone %+v", c.Phone)
	}
	w.refused(t, w.call(t, who, "POST", "/api/v1/cards/me/keys", map[string]any{"public_key": point, "proof": proof}), 422, "bad_proof")
	var brief struct {
		Code string `json:"code"`
	}
	w.must(t, who, 200, "GET", "/api/v1/cards/me/code", nil, &brief)
	first, err := code.Read(w.ring(t), brief.Code)
	ok(t, err)
	w.refused(t, w.call(t, who, "POST", "/api/v1/cards/me/code", map[string]any{"password": "274082"}), 422, "CARD_PASSWORD")
	w.must(t, who, 200, "POST", "/api/v1/cards/me/code", map[string]any{"password": "274081"}, &brief)
	second, err := code.Read(w.ring(t), brief.Code)
	ok(t, err)
	if first.Proof.Context != signing.ContextPay || second.Proof.Context != signing.ContextPIN || first.Phone == second.Phone {
		t.Errorf("contexts %s and %s", first.Proof.Context, second.Proof.Context)
	}
	if log := w.log.String(); strings.Contains(log, "274081") || strings.Contains(log, "CP1:") {
		t.Error("the log tells passwords or codes")
	}
}

func TestCards_OfficeKeepsCards(t *testing.T) {
	w := newWorld(t)
	who, c := w.cardOf(t, "S1")
	w.someone(t, "S2")
	clerk := w.someone(t, "T1", people.Post{Role: people.CardOffice})
	money := w.someone(t, "T2", people.Post{Role: people.Finance})
	var opened struct {
		Opened int `json:"opened"`
	}
	w.must(t, clerk, 200, "POST", "/api/v1/cards/bulk", map[string]any{"kind": "staff"}, &opened)
	if opened.Opened != 3 {
		t.Errorf("%d opened", opened.Opened)
	}
	path := "/api/v1/cards/" + c.Account
	var card api.OfficeCard
	w.must(t, clerk, 200, "PATCH", path, map[string]any{"limits": map[string]any{"per_tx_fen": 100}}, &card)
	if card.Limits.PerTxFen != 100 {
		t.Errorf("%+v", card.Limits)
	}
	r := w.call(t, who, "PUT", "/api/v1/cards/me/limits", map[string]any{"per_tx_fen": 101})
	w.refused(t, r, 422, "LIMIT_TOO_HIGH")
	if !strings.Contains(string(r.body), `"most":100`) {
		t.Errorf("it does not say how much: %s", r.body)
	}
	w.refused(t, w.call(t, who, "PUT", "/api/v1/cards/me/offline", map[string]any{"enabled": true}), 422, "LIMIT_TOO_HIGH")
	w.must(t, clerk, 200, "POST", path+"/freeze", map[string]any{"reason": "调查"}, &card)
	if card.State != "frozen" || card.FreezeReason != "调查" || card.Name != "林晓岚" {
		t.Errorf("%+v", card)
	}
	for _, reason := range []string{"", " ", "\u202e", strings.Repeat("长", 201)} {
		w.refused(t, w.call(t, clerk, "POST", path+"/unfreeze", map[string]any{"reason": reason}), 422, "invalid")
	}
	w.must(t, clerk, 200, "POST", path+"/unfreeze", map[string]any{"reason": "查清"}, nil)
	w.must(t, clerk, 200, "POST", path+"/reissue", map[string]any{"reason": "补卡"}, &card)
	if card.Epoch != 2 {
		t.Errorf("epoch %d", card.Epoch)
	}
	w.refused(t, w.call(t, clerk, "POST", path+"/opening", map[string]any{"amount_fen": 5000}), 403, "forbidden")
	w.must(t, money, 200, "POST", path+"/opening", map[string]any{"amount_fen": 5000}, nil)
	w.refused(t, w.call(t, money, "POST", path+"/opening", map[string]any{"amount_fen": 6000}), 409, "ID_REUSED")
	w.refused(t, w.call(t, clerk, "POST", path+"/close", map[string]any{"reason": "离校"}), 409, "CARD_BALANCE")
	w.refused(t, w.call(t, money, "POST", path+"/write-off", map[string]any{"reason": "x", "id": "12345678"}), 409, "CARD_DEBT")
	w.must(t, money, 200, "PUT", "/api/v1/cards/settings", map[string]any{
		"limits":  map[string]any{"per_tx_fen": 9000, "per_meal_fen": 0, "per_day_fen": 20000},
		"offline": map[string]any{"enabled": true, "per_tx_fen": 1000, "per_day_fen": 3000, "max_tx": 3},
	}, nil)
	var list struct {
		Items []api.OfficeCard `json:"items"`
		Next  string           `json:"next"`
	}
	w.must(t, clerk, 200, "GET", "/api/v1/cards?limit=2", nil, &list)
	if len(list.Items) != 2 || list.Next == "" {
		t.Fatalf("%d, next %q", len(list.Items), list.Next)
	}
	w.must(t, clerk, 200, "GET", "/api/v1/cards?limit=2&after="+list.Next, nil, &list)
	if len(list.Items) != 2 || list.Next != "" {
		t.Fatalf("%d, next %q", len(list.Items), list.Next)
	}
	w.must(t, clerk, 200, "GET", "/api/v1/cards?q=S1&state=active", nil, &list)
	if len(list.Items) != 1 || !list.Items[0].Offline.Enabled {
		t.Fatalf("%+v", list.Items)
	}
	w.refused(t, w.call(t, clerk, "GET", "/api/v1/cards/10000018", nil), 404, "NO_CARD")
}

func TestSubsidies_PreviewAndConfirm(t *testing.T) {
	w := newWorld(t)
	who, _ := w.cardOf(t, "S1")
	file := base64.StdEncoding.EncodeToString([]byte("学工号,姓名,金额\nS1,林晓岚,30\nS9,,=1+1\n"))
	body := map[string]any{"id": "batch-0001", "name": "困难补助", "expires_on": "2026-12-31", "file": file}
	var preview api.SubsidyPreview
	w.want(t, 201, "POST", "/api/v1/subsidies", body, &preview)
	if preview.Cards != 1 || preview.TotalFen != 3000 || len(preview.Faults) != 1 || preview.Faults[0].Row != 3 {
		t.Fatalf("%+v", preview)
	}
	w.refused(t, w.call(t, w.token, "POST", "/api/v1/subsidies/batch-0001/confirm", map[string]any{}), 409, "FAULTY_ROWS")
	var b api.SubsidyBatch
	w.want(t, 200, "POST", "/api/v1/subsidies/batch-0001/confirm", map[string]any{"skip_faulty": true}, &b)
	if b.Granted != 1 || b.DoneAt == 0 {
		t.Fatalf("%+v", b)
	}
	body["name"] = "别的"
	w.refused(t, w.call(t, w.token, "POST", "/api/v1/subsidies", body), 409, "ID_REUSED")
	w.refused(t, w.call(t, w.token, "POST", "/api/v1/subsidies/none/confirm", map[string]any{}), 404, "not_found")
	var c api.Card
	w.must(t, who, 200, "GET", "/api/v1/cards/me", nil, &c)
	if c.SubsidyFen != 3000 || c.BalanceFen != 3000 {
		t.Errorf("%+v", c)
	}
}
