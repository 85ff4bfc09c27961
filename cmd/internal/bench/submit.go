package bench

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	processes "campusgate/cmd/internal/campus"
)

// What residents do when the day's codes are given out.
const (
	homes     = 500              // households, each with one member at a phone
	pace      = time.Second / 50 // between two of them, when they come one by one
	signingIn = 16               // at once

	// Where they live, and what all of them are called.
	compound, building, headName = "松林坡", "20栋", "林国栋"
)

// applicant is somebody with a session.
type applicant struct {
	processes.Client
	room string
}

// submit measures the gateserver program: how long it takes until an application
// is answered with the signed pass, for a crowd at once and for one after the
// other. Every answer must be a pass, and every household have one for each day.
func (r *run) submit(ctx context.Context) (err error) {
	c, err := processes.Start(ctx, processes.Options{Dir: r.dir, Bin: r.o.Bin, Gates: []string{"东门 East Gate"}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	people, err := r.settle(ctx, c)
	if err != nil {
		return fmt.Errorf("people: %w", err)
	}
	zone, err := time.LoadLocation(zoneName)
	if err != nil {
		return err
	}
	today := r.o.Now().In(zone)
	burst, err := r.together(ctx, people, today.Format(time.DateOnly))
	if err != nil {
		return fmt.Errorf("at once: %w", err)
	}
	few := people
	if r.o.Quick {
		few = people[:len(people)/5]
	}
	// Of the next day that the households may have a code for.
	took, err := r.oneByOne(ctx, few, today.AddDate(0, 0, 2).Format(time.DateOnly))
	if err != nil {
		return fmt.Errorf("one by one: %w", err)
	}
	if err := noneTwice(ctx, c, len(people)+len(few)); err != nil {
		return err
	}
	return r.print(
		Figure{Name: "submit_500_at_once", Value: Number(burst * homes / float64(len(people))), Unit: "s"}.atMost(5),
		Figure{Name: "submit_50_a_second_p50", Value: Number(took.median() * milli), Unit: "ms"},
		Figure{Name: "submit_50_a_second_p99", Value: Number(took.at(0.99) * milli), Unit: "ms"}.atMost(300),
	)
}

// settle imports the households and signs their members in.
func (r *run) settle(ctx context.Context, c *processes.Campus) ([]applicant, error) {
	people := make([]applicant, r.size(homes))
	var places, families strings.Builder
	places.WriteString("校区编号,校区,派出所,小区名称,校内地址,楼栋号,门牌号\n")
	families.WriteString("小区名称,楼栋号,门牌号,户主姓名,姓名,手机号,与户主关系\n")
	phone := func(i int) string { return fmt.Sprintf("1380013%04d", 1000+i) }
	for i := range people {
		people[i].room = fmt.Sprint(1000 + i)
		fmt.Fprintf(&places, "A,A校区,,%s,是,%s,%s\n", compound, building, people[i].room)
		fmt.Fprintf(&families, "%s,%s,%s,%s,,%s,户主\n", compound, building, people[i].room, headName, phone(i))
	}
	if err := c.Client.Import(ctx, "places", "places.csv", []byte(places.String())); err != nil {
		return nil, err
	}
	if err := c.Client.Import(ctx, "households", "households.csv", []byte(families.String())); err != nil {
		return nil, err
	}
	free := make(chan struct{}, signingIn)
	_, err := each(len(people), func(i int) (err error) {
		free <- struct{}{}
		defer func() { <-free }()
		people[i].Client, err = c.SignInFrom(ctx, phone(i), net.IPv4(127, 1, byte(i/200), byte(1+i%200)))
		return err
	}, func() {})
	return people, err
}

// together has everybody submit at the same moment, and gives the seconds until
// the last answer.
func (r *run) together(ctx context.Context, people []applicant, day string) (float64, error) {
	began := time.Now()
	_, err := each(len(people), func(i int) error { return people[i].apply(ctx, day) }, func() {})
	return time.Since(began).Seconds(), err
}

// oneByOne has them submit one after the other, at a fixed pace whether or not
// the one before has been answered.
func (r *run) oneByOne(ctx context.Context, people []applicant, day string) (sample, error) {
	tick := time.NewTicker(pace)
	defer tick.Stop()
	return each(len(people), func(i int) error { return people[i].apply(ctx, day) }, func() { <-tick.C })
}

// each does something n times, in goroutines begun in order with a wait before
// each, and gives how long each took, in seconds, ascending.
func each(n int, do func(i int) error, wait func()) (sample, error) {
	took, errs := make(sample, n), make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		wait()
		all.Go(func() { took[i], errs[i] = timed(func() error { return do(i) }) })
	}
	all.Wait()
	slices.Sort(took)
	return took, errors.Join(errs...)
}

func (p applicant) apply(ctx context.Context, day string) error {
	var answer struct {
		State string `json:"state"`
		Pass  *struct {
			ID string `json:"id"`
		} `json:"pass"`
	}
	err := p.Do(ctx, http.MethodPost, "/api/v1/applications", map[string]any{"flow": "cqu.resident_pass", "submit": true, "form": map[string]any{
		"type": "single", "head": headName, "compound": compound, "building": building, "room": p.room, "date": day,
	}}, &answer)
	if err == nil && (answer.State != "completed" || answer.Pass == nil) {
		err = fmt.Errorf("room %s got no pass: %+v", p.room, answer)
	}
	return err
}

// noneTwice counts the passes in the server's database, and the households and
// days that they are for.
func noneTwice(ctx context.Context, c *processes.Campus, want int) (err error) {
	db, err := sql.Open("sqlite", address(c.Database, "rw"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var passes, days int
	err = db.QueryRowContext(ctx, `SELECT count(*), (SELECT count(*) FROM (SELECT DISTINCT household, date FROM quota_entries WHERE released_at IS NULL))
		FROM application_passes`).Scan(&passes, &days)
	if err == nil && (passes != want || days != want) {
		err = fmt.Errorf("%d passes for %d days of households, want %d of both", passes, days, want)
	}
	return err
}
