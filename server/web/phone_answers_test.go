package web_test

import (
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"campusgate/server/web"
	"campusgate/signing"
	"campusgate/signing/pass"
)

// Ids of the passes that the phone pages are shown with.
const (
	phoneSingle    = "00000000000000a1"
	phoneWork      = "00000000000000a2"
	phoneElsewhere = "00000000000000a3"
	phoneUsed      = "00000000000000a4"
	phoneRevoked   = "00000000000000a5"
)

// phoneServer serves the phone app, and canned answers of the interface for the
// states that a page can be in. Only the phone keys of passes and of the card are
// real: it signs what a gate or a till would read.
type phoneServer struct {
	*httptest.Server

	issuer signing.Issuer
	payer  signing.Issuer
	ring   *signing.Keyring

	mu       sync.Mutex
	answers  map[string]string // "GET /me" → JSON; "401 …" in front of it is a refusal
	enrolled map[string]string // pass → id of its phone key
	newBuild bool              // the service worker is that of a later build
	calls    []string
	sent     map[string]string // body of the last call
}

var buildVersion = regexp.MustCompile(`"version":"[0-9a-f]+"`)

func newPhoneServer(t *testing.T) *phoneServer {
	t.Helper()
	if _, ok := web.Phone.FS(); !ok {
		missing(t, "the phone pages are not built: npm ci && npm run build")
	}
	pages := builtPages()
	s := &phoneServer{
		issuer: phoneIssuer(t, signing.PurposeGate, "p"), payer: phoneIssuer(t, signing.PurposePay, "y"),
		enrolled: map[string]string{phoneElsewhere: "other"}, sent: map[string]string{},
	}
	var err error
	if s.ring, err = signing.NewKeyring("east", 1, []signing.Key{s.issuer.Key, s.payer.Key}); err != nil {
		t.Fatal(err)
	}
	s.answers = phoneAnswers(time.Now())
	mux := http.NewServeMux()
	mux.Handle("/", pages)
	mux.HandleFunc("/m/sw.js", func(w http.ResponseWriter, r *http.Request) {
		r.Header.Del("Accept-Encoding")
		r.Header.Del("If-None-Match")
		made := httptest.NewRecorder()
		pages.ServeHTTP(made, r)
		s.mu.Lock()
		defer s.mu.Unlock()
		text := made.Body.String()
		if s.newBuild {
			text = buildVersion.ReplaceAllString(text, `"version":"later"`)
		}
		w.Header().Set("Content-Type", made.Header().Get("Content-Type"))
		_, _ = w.Write([]byte(text))
	})
	mux.HandleFunc("/api/v1/", s.answer)
	mux.HandleFunc("POST /api/v1/passes/{id}/keys/nonce", s.nonce)
	mux.HandleFunc("POST /api/v1/passes/{id}/keys", s.enrol)
	mux.HandleFunc("POST /api/v1/cards/me/keys/nonce", s.nonce)
	mux.HandleFunc("POST /api/v1/cards/me/keys", s.enrolCard)
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

func phoneIssuer(t *testing.T, purpose signing.Purpose, seed string) signing.Issuer {
	t.Helper()
	private := ed25519.NewKeyFromSeed([]byte(strings.Repeat(seed, 32)))
	key, err := signing.NewKey("east", purpose, private.Public().(ed25519.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	key.State = signing.KeyActive
	return signing.Issuer{Key: key, Private: private}
}

// set changes the answer of a call until the test puts it back.
func (s *phoneServer) set(call, answer string) (undo func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before, was := s.answers[call]
	s.answers[call] = answer
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.answers[call] = before; !was {
			delete(s.answers, call)
		}
	}
}

// said is what is answered to a call.
func (s *phoneServer) said(call string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.answers[call]
}

// got is what was sent with a call the last time.
func (s *phoneServer) got(call string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sent[call]
}

func (s *phoneServer) called(call string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.calls {
		if strings.HasPrefix(c, call) {
			n++
		}
	}
	return n
}

func (s *phoneServer) answer(w http.ResponseWriter, r *http.Request) {
	call := r.Method + " " + strings.TrimPrefix(r.URL.Path, "/api/v1")
	sent, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	s.calls = append(s.calls, call+"?"+r.URL.RawQuery)
	s.sent[call] = string(sent)
	body, ok := s.answers[call+"?"+r.URL.RawQuery]
	if !ok {
		body, ok = s.answers[call]
	}
	for _, id := range []string{phoneWork, phoneElsewhere} {
		body = strings.ReplaceAll(body, "PHONE-"+id, s.enrolled[id])
	}
	body = strings.ReplaceAll(body, "CARD-PHONE", s.cardPhone())
	s.mu.Unlock()
	if !ok {
		body = `404 {"code":"no_such_route","message":"没有这个地址 there is nothing at this address","details":{},"request_id":"r1"}`
	}
	status := http.StatusOK
	if len(body) > 4 && body[0] >= '2' && body[0] <= '5' {
		_, _ = fmt.Sscanf(body[:3], "%d", &status)
		body = body[4:]
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if status != http.StatusNoContent {
		_, _ = w.Write([]byte(body))
	}
}

func (s *phoneServer) nonce(w http.ResponseWriter, r *http.Request) {
	reply := map[string]any{"nonce": []byte("n"), "message": []byte("sign this"), "expires_at": time.Now().Add(time.Minute).UnixMilli()}
	w.WriteHeader(http.StatusCreated)
	_ = json.NewEncoder(w).Encode(reply)
}

func (s *phoneServer) enrol(w http.ResponseWriter, r *http.Request) {
	var in struct {
		PublicKey []byte `json:"public_key"`
	}
	err := json.NewDecoder(r.Body).Decode(&in)
	var key signing.PhoneKey
	if err == nil {
		key, err = signing.ParsePhoneKey(in.PublicKey)
	}
	var id signing.PassID
	if err == nil {
		id, err = signing.ParsePassID(r.PathValue("id"))
	}
	now := time.Now().Unix()
	p := pass.Pass{ID: id, Kind: signing.Work, Name: "林晓岚", Doc4: "3021", NotBefore: now - 3600, Expires: now + 3*86400, IssuedAt: now - 3600, Phone: &key}
	var credential []byte
	if err == nil {
		credential, err = p.Sign(s.issuer)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		return
	}
	s.mu.Lock()
	s.enrolled[id.String()] = key.ID().String()
	s.mu.Unlock()
	w.WriteHeader(http.StatusCreated)
	_ = json.NewEncoder(w).Encode(map[string]any{
		"credential": signing.LiveText(credential), "phone": key.ID().String(), "expires_at": p.Expires * 1000,
	})
}

// phoneAnswers are those of a member of staff on an ordinary day. Names and
// numbers are invented.
func phoneAnswers(now time.Time) map[string]string {
	zone := time.FixedZone("Asia/Shanghai", 8*3600)
	today := now.In(zone)
	day := func(n int) string { return today.AddDate(0, 0, n).Format(time.DateOnly) }
	words := strings.NewReplacer(
		"{today}", day(0), "{tomorrow}", day(1), "{day3}", day(3), "{week}", day(7), "{yesterday}", day(-1), "{month}", day(0)[:7], "{lastweek}", day(-7),
		"{now}", fmt.Sprint(now.UnixMilli()), "{hour}", fmt.Sprint(now.Add(-time.Hour).UnixMilli()), "{ago3}", fmt.Sprint(now.AddDate(0, 0, -3).UnixMilli()),
	)
	made := map[string]string{}
	for _, bodies := range []map[string]string{phoneBodies, cardBodies} {
		for call, body := range bodies {
			made[call] = words.Replace(body)
		}
	}
	return made
}
