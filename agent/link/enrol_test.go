package link_test

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"campusgate/agent/link"
	"campusgate/agent/link/memnet"
	"campusgate/signing/wire"
)

var enrolled = wire.Enrolled{Agent: 7, Epoch: 1, Gate: 3, Site: site, Zone: "Asia/Shanghai"}

// enrolServer answers enrolments, over TLS with this certificate or, with none,
// plainly.
func enrolServer(t *testing.T, cert *tls.Certificate, answer http.HandlerFunc) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+wire.EnrolPath, answer)
	srv := httptest.NewUnstartedServer(mux)
	if cert == nil {
		srv.Start()
	} else {
		srv.Config.ErrorLog = log.New(io.Discard, "", 0) // handshakes fail on purpose
		srv.TLS = &tls.Config{Certificates: []tls.Certificate{*cert}}
		srv.StartTLS()
	}
	t.Cleanup(srv.Close)
	return srv.URL
}

// accept answers with an identity whose root is a's, and notes the question.
func accept(t *testing.T, a *authority, asked *wire.Enrol) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := json.NewDecoder(r.Body).Decode(asked); err != nil {
			t.Error(err)
		}
		e := enrolled
		e.Root = a.root()
		if err := json.NewEncoder(w).Encode(e); err != nil {
			t.Error(err)
		}
	}
}

func TestEnrol_BelievesOnlyTheSiteOfTheCode(t *testing.T) {
	root, other := newAuthority(t, 0, nil), newAuthority(t, 1, nil)
	code := wire.FormatEnrolCode([10]byte{1, 2, 3}, root.root())
	rootCert, otherCert := root.server(nil), other.server(nil)
	for name, c := range map[string]struct {
		cert  *tls.Certificate
		ca    []byte
		holds *authority
		want  error
	}{
		"plain on loopback":             {nil, nil, root, nil},
		"plain, another root":           {nil, nil, other, link.ErrWrongSite},
		"the root's certificate":        {&rootCert, nil, root, nil},
		"another certificate":           {&otherCert, nil, root, link.ErrUntrusted},
		"a CA that was given":           {&otherCert, other.pem(), root, nil},
		"a CA that was given, no root":  {&otherCert, other.pem(), other, link.ErrWrongSite},
		"the root's cert, another root": {&rootCert, nil, other, link.ErrWrongSite},
	} {
		t.Run(name, func(t *testing.T) {
			var asked wire.Enrol
			got, err := link.Enrol(t.Context(), link.Enrolment{
				Server: enrolServer(t, c.cert, accept(t, c.holds, &asked)), Code: strings.ToLower(code),
				PublicKey: root.root(), Hostname: "gate-north", CA: c.ca,
			})
			if !errors.Is(err, c.want) {
				t.Fatalf("%v, want %v", err, c.want)
			}
			if c.want != nil {
				if got.Agent != 0 || got.Root != nil {
					t.Fatalf("and yet %+v", got)
				}
				if errors.Is(err, link.ErrUntrusted) && asked.Code != "" {
					t.Fatal("the code was sent to a server that is not trusted")
				}
				return
			}
			if got.Agent != 7 || got.Site != site || asked.Code != code || asked.Hostname != "gate-north" || string(asked.PublicKey) != string(root.root()) {
				t.Fatalf("%+v, asked with %+v", got, asked)
			}
		})
	}
}

func TestEnrol_FindsTypingErrorsBeforeAnyNetwork(t *testing.T) {
	root := newAuthority(t, 0, nil)
	code := []byte(wire.FormatEnrolCode([10]byte{1, 2, 3}, root.root()))
	code[0]++
	cable := memnet.Listen("127.0.0.1:80").Cable("127.0.0.1:81")
	e := link.Enrolment{Server: "http://127.0.0.1:80", Code: string(code), PublicKey: root.root(), Dial: cable.Dial}
	if _, err := link.Enrol(t.Context(), e); !errors.Is(err, wire.ErrEnrolCode) {
		t.Error(err)
	}
	e.Code = wire.FormatEnrolCode([10]byte{1}, root.root())
	e.PublicKey = e.PublicKey[:31]
	if _, err := link.Enrol(t.Context(), e); !errors.Is(err, link.ErrConfig) {
		t.Error(err)
	}
	e.PublicKey, e.Server = root.root(), "http://gate.example.edu"
	if _, err := link.Enrol(t.Context(), e); !errors.Is(err, link.ErrPlain) {
		t.Error(err)
	}
	if n := cable.Dials(); n != 0 {
		t.Fatalf("dialled %d times", n)
	}
}

func TestEnrol_TellsARefusalFromAFault(t *testing.T) {
	root := newAuthority(t, 0, nil)
	for name, c := range map[string]struct {
		status  int
		body    string
		refused bool
		word    string
	}{
		"used":          {409, `{"code":"code_used","message":"this code was used already"}`, true, "code_used: this code was used already"},
		"no reason":     {404, `<html>`, true, "unknown"},
		"a fault":       {500, `{"code":"internal","message":"disk full"}`, false, "disk full"},
		"elsewhere":     {307, ``, false, "307"},
		"no JSON":       {200, `<html>`, false, "not what it should be"},
		"no identity":   {200, `{"agent":0,"root":"` + rootText(root) + `"}`, false, "lacks agent"},
		"without root":  {200, `{"agent":7,"epoch":1,"site":"x"}`, false, "does not fit"},
		"without limit": {200, strings.Repeat(" ", 5<<20), false, "more than"},
	} {
		t.Run(name, func(t *testing.T) {
			server := enrolServer(t, nil, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", "http://127.0.0.1:1/")
				w.WriteHeader(c.status)
				_, _ = w.Write([]byte(c.body)) // the agent may stop reading
			})
			_, err := link.Enrol(t.Context(), link.Enrolment{Server: server, Code: wire.FormatEnrolCode([10]byte{1}, root.root()), PublicKey: root.root()})
			if err == nil || errors.Is(err, link.ErrNotEnrolled) != c.refused || !strings.Contains(err.Error(), c.word) {
				t.Fatal(err)
			}
		})
	}
}

func rootText(a *authority) string { return base64.StdEncoding.EncodeToString(a.root()) }

func TestEnrol_GivesUpAfter30s(t *testing.T) {
	root := newAuthority(t, 0, nil)
	synctest.Test(t, func(t *testing.T) {
		cable := memnet.Listen("127.0.0.1:80").Cable("127.0.0.1:81")
		cable.Set(memnet.Dark)
		start := time.Now()
		_, err := link.Enrol(t.Context(), link.Enrolment{
			Server: "http://127.0.0.1", Code: wire.FormatEnrolCode([10]byte{1}, root.root()), PublicKey: root.root(), Dial: cable.Dial,
		})
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 30*time.Second {
			t.Fatalf("%v after %v", err, time.Since(start))
		}
	})
}
