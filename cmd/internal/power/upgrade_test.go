//go:build linux

package power_test

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"campusgate/agent"
	"campusgate/agent/console"
	"campusgate/cmd/internal/campus"
	"campusgate/cmd/internal/campus/campustest"
	"campusgate/cmd/internal/power"
	"campusgate/signing/verdict"
)

// schema is how one of the two programs keeps its migrations.
type schema struct {
	folder, found, note string
}

var (
	agentSchema = schema{
		"agent/disk/migrations",
		fmt.Sprintf("PRAGMA application_id = %d; CREATE TABLE migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL, sha256 TEXT NOT NULL) STRICT", 0x43476174),
		"INSERT INTO migrations (number, name, sha256) VALUES ($1, $2 || '.sql', $3)",
	}
	serverSchema = schema{
		"server/store/migrations/sqlite",
		"CREATE TABLE migrations (name TEXT PRIMARY KEY, sum TEXT NOT NULL, applied_at BIGINT NOT NULL)",
		"INSERT INTO migrations (applied_at, name, sum) VALUES ($1, $2, $3)",
	}
)

// older replaces a store that nobody has open by one of the program before the last
// migrations, with the same content as far as that program knew it.
func (s schema) older(t testing.TB, path string, without int) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", "..", filepath.FromSlash(s.folder), "*.sql"))
	check(t, err)
	if len(files) <= without {
		t.Fatalf("there are %d migrations", len(files))
	}
	old, err := sql.Open("sqlite", "file:"+path+".old")
	check(t, err)
	old.SetMaxOpenConns(1) // an attached file belongs to its connection
	do := func(query string, args ...any) {
		t.Helper()
		if _, err := old.Exec(query, args...); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
	}
	do("PRAGMA journal_mode = WAL")
	do(s.found)
	for i, file := range files[:len(files)-without] {
		text, err := os.ReadFile(file)
		check(t, err)
		do(string(text))
		sum := sha256.Sum256(text)
		do(s.note, i+1, strings.TrimSuffix(filepath.Base(file), ".sql"), hex.EncodeToString(sum[:]))
	}
	do("ATTACH $1 AS present", path)
	triggers := column(t, old, "SELECT name FROM sqlite_schema WHERE type = 'trigger'")
	texts := column(t, old, "SELECT sql FROM sqlite_schema WHERE type = 'trigger'")
	for _, name := range triggers {
		do("DROP TRIGGER " + name)
	}
	for _, table := range column(t, old, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> 'migrations'") {
		columns := strings.Join(column(t, old, "SELECT name FROM pragma_table_info('"+table+"')"), ", ")
		// What was dropped since is nothing of its kind.
		values := strings.Join(column(t, old, `SELECT CASE WHEN p.name IS NOT NULL THEN o.name WHEN o.type = 'INTEGER' THEN '0' ELSE '''''' END
			FROM pragma_table_info('`+table+"') o LEFT JOIN pragma_table_info('"+table+"', 'present') p ON p.name = o.name ORDER BY o.cid"), ", ")
		do("DELETE FROM main." + table)
		do(fmt.Sprintf("INSERT INTO main.%s (%s) SELECT %s FROM present.%s", table, columns, values, table))
	}
	for _, text := range texts {
		do(text)
	}
	do("DETACH present")
	check(t, old.Close())
	for _, end := range []string{"-wal", "-shm"} {
		if err := os.Remove(path + end); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	check(t, os.Rename(path+".old", path))
}

func column(t testing.TB, db *sql.DB, query string) (list []string) {
	t.Helper()
	rows, err := db.Query(query)
	check(t, err)
	defer func() { check(t, rows.Close()) }()
	for rows.Next() {
		var text string
		check(t, rows.Scan(&text))
		list = append(list, text)
	}
	check(t, rows.Err())
	return list
}

// The programs are replaced by newer ones while events wait to be sent: both bring
// their stores up to date, and what waited arrives.
func TestUpgrade_OfBothWithABacklog(t *testing.T) {
	t.Parallel()
	for _, without := range []int{1, 3} {
		t.Run(fmt.Sprint("without the last ", without), func(t *testing.T) {
			t.Parallel()
			c := start(t, t.TempDir(), campus.Options{})
			g := c.Gates[0]
			list := campustest.Issue(t, c, c.Gates[0], 30)
			admitted := map[string]bool{}
			admits(t, g, list[:10], admitted)
			drained(t, g)
			c.Network.Cut(true)
			admits(t, g, list[10:20], admitted)
			g.Agent.Stop()
			c.Server.Stop()
			store := filepath.Join(g.Data, agent.StoreName)
			agentSchema.older(t, store, without)
			serverSchema.older(t, c.Database, without)

			check(t, c.StartServer(t.Context()))
			check(t, g.Start(t.Context()))
			s := until(t, g, "cut off, with a backlog", func(s console.Status) bool { return !s.Online })
			if s.Queue != 10 {
				t.Errorf("%d events wait", s.Queue)
			}
			admits(t, g, list[20:25], admitted)
			c.Network.Cut(false)
			drained(t, g)
			admits(t, g, list[25:], admitted)
			drained(t, g)
			g.Agent.Stop()
			account(t, c, campustest.Journal(t, g.Data), admitted)
		})
	}
}

// A store that a newer program has changed is left alone, and the program says why.
func TestUpgrade_BackIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := start(t, dir, campus.Options{})
	g := c.Gates[0]
	g.Agent.Stop()
	c.Server.Stop()
	for _, one := range []struct {
		program, config, store string
		schema                 schema
	}{
		{"gateagent", g.Data + ".yaml", filepath.Join(g.Data, agent.StoreName), agentSchema},
		{"gateserver", dir + "/server.yaml", c.Database, serverSchema},
	} {
		db, err := sql.Open("sqlite", "file:"+one.store)
		check(t, err)
		_, err = db.Exec(one.schema.note, 9999, "9999_later", "00")
		check(t, err)
		check(t, db.Close())
		before, err := os.ReadFile(one.store)
		check(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		out, err := exec.CommandContext(ctx, filepath.Join(daemons(t), one.program), "-config", one.config).CombinedOutput()
		cancel()
		if err == nil || !strings.Contains(string(out), "newer than this program") {
			t.Errorf("%s: %v: %s", one.program, err, out)
		}
		if after, err := os.ReadFile(one.store); err != nil || string(after) != string(before) {
			t.Errorf("%s: the store was changed, %v", one.program, err)
		}
	}
}

// The power fails at every step of a migration: the store is the old one or the new
// one, whole, with everything in it, and the next start finishes.
func TestUpgrade_SurvivesCuts(t *testing.T) {
	t.Parallel()
	for name, one := range map[string]struct {
		store  string
		schema schema
	}{"gate": {agent.StoreName, agentSchema}, "server": {"server.db", serverSchema}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(*seed, 2))
			source := newVictim(t, worker(t), name)
			source.round(t, 0, 200)
			source.cut(t, power.Some, random)
			dir := t.TempDir()
			check(t, source.Export(dir))
			if _, err := power.Loads[name].Check(dir, nil); err != nil { // recovers, and so closes it well
				t.Fatal(err)
			}
			one.schema.older(t, filepath.Join(dir, one.store), 2)
			old, err := os.ReadFile(filepath.Join(dir, one.store))
			check(t, err)

			v := &victim{newDrive(t), worker(t), name, random, nil}
			v.write(t, one.store, 0, string(old), true)
			v.syncDir(t, ".")
			for i, steps := range []int{2, 5, 9, 14, 20, 27, 35, 60} {
				v.round(t, i+1, steps)
				v.cut(t, power.Some, random)
				v.said = append(v.said, source.said...)
				source.said = nil
				if lost, err := v.left(t); lost > 0 || err != nil {
					t.Fatalf("cut after %d steps: %d promises lost, %v", steps, lost, err)
				}
			}
		})
	}
}

// An agent of another version of the protocol is told so, goes on alone by what it
// has, and sends what waited when the versions fit again.
func TestUpgrade_OfTheProtocol(t *testing.T) {
	t.Parallel()
	bin, other := t.TempDir(), program(t, "other", map[string][]string{
		"signing/wire/message.go": {"const Version = 1", "const Version = 2"},
	}, "campusgate/cmd/gateagent")
	install := func(name, from string) {
		t.Helper()
		_ = os.Remove(filepath.Join(bin, name))
		check(t, os.Symlink(filepath.Join(from, name), filepath.Join(bin, name)))
	}
	install("gateserver", daemons(t))
	install("gateagent", daemons(t))
	c := start(t, t.TempDir(), campus.Options{Bin: bin})
	g := c.Gates[0]
	list := campustest.Issue(t, c, c.Gates[0], 30)
	admitted := map[string]bool{}
	admits(t, g, list[:10], admitted)
	drained(t, g)

	g.Agent.Stop()
	install("gateagent", other)
	check(t, g.Start(t.Context()))
	s := until(t, g, "told why", func(s console.Status) bool { return s.LastError != "" })
	if s.Online || !strings.Contains(s.LastError, "the server speaks version 1 of the protocol, this agent 2") {
		t.Errorf("the agent says: %q", s.LastError)
	}
	admits(t, g, list[10:20], admitted)
	if reason, _, err := scan(t.Context(), g, list[0]); err != nil || reason == verdict.Internal.String() {
		t.Errorf("one who came before: %s, %v", reason, err)
	}
	until(t, g, "a backlog", func(s console.Status) bool { return s.Queue == 11 })

	g.Agent.Stop()
	install("gateagent", daemons(t))
	check(t, g.Start(t.Context()))
	admits(t, g, list[20:], admitted)
	drained(t, g)
	g.Agent.Stop()
	account(t, c, campustest.Journal(t, g.Data), admitted)
}
