package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"campusgate/cmd/internal/script"
)

// patience bounds every wait.
const patience = 30 * time.Second

// TestMain lets scripts run gateserver as a program of its own: this test
// binary, under that name. A script that sets NOW gets that clock.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"gateserver": func() {
		at, err := time.Parse(time.RFC3339, os.Getenv("NOW"))
		if err != nil {
			main()
		}
		env := Env{Stdout: os.Stdout, Stderr: os.Stderr, Now: func() time.Time { return at }, Rand: rand.Reader}
		os.Exit(run(context.Background(), env, os.Args[1:]))
	}})
}

// TestScripts runs one script per behaviour. What they can use beside
// testscript's own commands is below.
func TestScripts(t *testing.T) {
	scripts, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	testscript.Run(t, testscript.Params{
		Files:               scripts,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			// A race-enabled program otherwise sleeps for a second when it ends.
			e.Setenv("GORACE", "atexit_sleep_ms=0")
			e.Values[serving{}] = new(daemon)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":    script.Exits,
			"keep":     scriptKeep,
			"mode":     scriptMode,
			"secret":   scriptSecret,
			"sql":      scriptSQL,
			"same":     scriptSame,
			"serve":    scriptServe,
			"get":      scriptGet,
			"quit":     scriptQuit,
			"remember": scriptRemember,
		},
	})
}

// keep VAR KEY puts a member of the JSON object on standard output into VAR.
func scriptKeep(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: keep VAR KEY")
	}
	var object map[string]any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &object))
	value, ok := object[args[1]]
	if !ok {
		ts.Fatalf("no %s in %v", args[1], object)
	}
	ts.Setenv(args[0], fmt.Sprint(value))
}

// mode OCTAL FILE… demands permissions.
func scriptMode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: mode OCTAL FILE...")
	}
	for _, file := range args[1:] {
		info, err := os.Stat(ts.MkAbs(file))
		ts.Check(err)
		if got := fmt.Sprintf("%04o", info.Mode().Perm()); got != args[0] {
			ts.Fatalf("%s has mode %s, want %s", file, got, args[0])
		}
	}
}

// secret WORD PATH… demands that no file at or under the paths holds the word.
func scriptSecret(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || args[0] == "" {
		ts.Fatalf("usage: secret WORD PATH...")
	}
	for _, path := range args[1:] {
		ts.Check(filepath.WalkDir(ts.MkAbs(path), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			data, err := os.ReadFile(path)
			if strings.Contains(string(data), args[0]) {
				err = errors.Join(err, fmt.Errorf("%s holds it", path))
			}
			return err
		}))
	}
}

// sql FILE STATEMENT changes a database behind the server's back.
func scriptSQL(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: sql FILE STATEMENT")
	}
	db, err := sql.Open("sqlite", ts.MkAbs(args[0]))
	ts.Check(err)
	result, err := db.Exec(args[1])
	ts.Check(errors.Join(err, db.Close()))
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		ts.Fatalf("nothing was changed: %v", err)
	}
}

// content is a hash over every path at or under dir with its content and mode.
func content(ts *testscript.TestScript, dir string) string {
	sum := sha256.New()
	err := filepath.WalkDir(ts.MkAbs(dir), func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		_, _ = fmt.Fprintf(sum, "%q %v\n", path, info.Mode()) // a hash takes everything
		if d.IsDir() {
			return nil
		}
		data, err := os.ReadFile(path)
		_, _ = sum.Write(data)
		return err
	})
	ts.Check(err)
	return fmt.Sprintf("%x", sum.Sum(nil))
}

// remember VAR DIR puts what is in a folder into VAR, for same.
func scriptRemember(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: remember VAR DIR")
	}
	ts.Setenv(args[0], content(ts, args[1]))
}

// same VAR DIR demands that a folder is as it was remembered.
func scriptSame(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 || ts.Getenv(args[0]) == "" {
		ts.Fatalf("usage: [!] same VAR DIR")
	}
	if same := content(ts, args[1]) == ts.Getenv(args[0]); same == neg {
		ts.Fatalf("%s: the same as before: %v", args[1], same)
	}
}

// daemon is the server that a script runs.
type daemon struct {
	cmd   *exec.Cmd
	ended chan error
}

type serving struct{}

// serve CONFIG LOG starts a server, waits for its address and puts it into
// SERVER. What it says goes to LOG.
func scriptServe(ts *testscript.TestScript, neg bool, args []string) {
	d := ts.Value(serving{}).(*daemon)
	if neg || len(args) != 2 || d.cmd != nil {
		ts.Fatalf("usage: serve CONFIG LOG, once before quit")
	}
	log, err := os.Create(ts.MkAbs(args[1]))
	ts.Check(err)
	cmd := exec.Command("gateserver", "-config", ts.MkAbs(args[0]))
	cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0")
	cmd.Dir, cmd.Stderr = ts.MkAbs("."), log
	out, err := cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	ended := make(chan error, 1)
	ts.Defer(func() { _ = cmd.Process.Kill() }) // an error: it has ended
	late := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
	defer late.Stop()
	lines := bufio.NewReader(out)
	first, err := lines.ReadString('\n')
	go func() {
		_, copyErr := io.Copy(log, lines)
		ended <- errors.Join(copyErr, cmd.Wait(), log.Close())
	}()
	if err != nil {
		ts.Fatalf("it did not start: %v\n%s", <-ended, ts.ReadFile(args[1]))
	}
	_, url, ok := strings.Cut(strings.TrimSpace(first), ": ")
	if !ok {
		ts.Fatalf("it printed %q", first)
	}
	*d = daemon{cmd, ended}
	ts.Setenv("SERVER", url)
}

// quit SIGNAL ends the server and demands that it ends well.
func scriptQuit(ts *testscript.TestScript, neg bool, args []string) {
	d := ts.Value(serving{}).(*daemon)
	signals := map[string]os.Signal{"TERM": syscall.SIGTERM, "INT": syscall.SIGINT}
	if neg || len(args) != 1 || signals[args[0]] == nil || d.cmd == nil {
		ts.Fatalf("usage: quit TERM|INT, after serve")
	}
	ts.Check(d.cmd.Process.Signal(signals[args[0]]))
	select {
	case err := <-d.ended:
		ts.Check(err)
	case <-time.After(patience):
		ts.Fatalf("it does not end")
	}
	d.cmd = nil
}

// get PATH asks the server, with TOKEN if that is set, and puts the answer on
// standard output. It demands status 200.
func scriptGet(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: get PATH")
	}
	req, err := http.NewRequest(http.MethodGet, ts.Getenv("SERVER")+args[0], nil)
	ts.Check(err)
	if token := ts.Getenv("TOKEN"); token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	client := http.Client{Timeout: patience}
	res, err := client.Do(req)
	ts.Check(err)
	_, err = io.Copy(ts.Stdout(), res.Body)
	ts.Check(errors.Join(err, res.Body.Close()))
	if res.StatusCode != http.StatusOK {
		ts.Fatalf("%s: %s", args[0], res.Status)
	}
}
