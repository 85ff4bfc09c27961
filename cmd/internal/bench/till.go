package bench

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"time"

	"campusgate/agent/desk"
	"campusgate/agent/disk"
	"campusgate/agent/journal"
	"campusgate/agent/snapshot"
	"campusgate/agent/till"
	"campusgate/devices/drivers"
	"campusgate/signing"
	"campusgate/signing/paycode"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// mealFen is what everybody pays at the measured till.
const mealFen = 1200

// till measures from the write at the far end of the scanner's tty until a till
// without a server says that somebody has paid, against one verification and one
// floor.
func (r *run) till(ctx context.Context) (err error) {
	c, err := campusFor(r.o, signing.PurposePay)
	if err != nil {
		return err
	}
	e := r.effort(5000, 25)
	texts := make([]string, e.turns+1)
	var phone *ecdsa.PrivateKey // of the last
	for i := range texts {
		if texts[i], phone, err = c.payment(i); err != nil {
			return err
		}
	}
	verify, err := phonePart(c, texts[len(texts)-1], phone)
	if err != nil {
		return err
	}
	f, err := newFloor(r.dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.close()) }()
	k, err := r.newTill(ctx, c)
	defer func() { err = errors.Join(err, k.close()) }()
	if err != nil {
		return err
	}
	peer := func() error { return errors.Join(verify(), f.append()) }
	ours := func() error {
		text := texts[0]
		texts = texts[1:]
		return k.pay(text)
	}
	p, o, err := turns(ctx, e, peer, ours)
	if err != nil {
		return err
	}
	return r.print(
		Figure{Name: "till_ok_p50", Value: Number(o.median() * milli), Unit: "ms"}.
			against("ed25519.Verify, P-256 point decompression, ecdsa.VerifyASN1, an append of 4 KiB and fdatasync", p.median()*milli, 2),
		Figure{Name: "till_ok_p99", Value: Number(o.at(0.99) * milli), Unit: "ms"}.atMost(10),
	)
}

// payment is the code that the n-th holder's phone shows, and the phone.
func (c *campus) payment(n int) (string, *ecdsa.PrivateKey, error) {
	phone, err := ecdsa.GenerateKey(elliptic.P256(), c.random)
	if err != nil {
		return "", nil, err
	}
	key, err := signing.PhoneKeyOf(&phone.PublicKey)
	if err != nil {
		return "", nil, err
	}
	at := c.now.Unix()
	p := paycode.Pay{
		ID: passID(n), Account: uint64(n + 1), Epoch: 1, PerTxFen: 5000, PerDayOfflineFen: 6000, MaxOfflineTx: 4,
		IssuedAt: at - 3600, Expires: at + 86400, Phone: key,
	}
	cred, err := p.Sign(c.issuer)
	if err != nil {
		return "", nil, err
	}
	proof, err := signing.MakeProof(phone, nil, cred, signing.Proof{T: at, Counter: 1, Context: signing.ContextPay})
	if err != nil {
		return "", nil, err
	}
	return paycode.LiveText(proof), phone, nil
}

// tillPC is a till with a scanner on a tty and no server.
type tillPC struct {
	wired
	said chan error // of each scan: nil = paid
}

// newTill makes a till whose clock stands still: the codes are made beforehand.
// What it returns has to be closed, with an error too.
func (r *run) newTill(ctx context.Context, c *campus) (k *tillPC, err error) {
	const name = "main"
	k = &tillPC{said: make(chan error, 1)}
	path := filepath.Join(r.dir, "till.db")
	id := journal.Identity{
		Agent: agentID, Epoch: 1, Gate: gateID, Site: site, TimeZone: zoneName, Server: nowhere, Root: c.rootKey(), Private: c.root,
	}
	err = disk.Create(path, func(tx *disk.Tx) error {
		return errors.Join(journal.Enrol(tx, id), snapshot.Enrol(tx, id.Root, site, c.signed))
	})
	if err != nil {
		return k, err
	}
	db, err := disk.Open(path)
	if err != nil {
		return k, err
	}
	k.closers = append(k.closers, db.Close)
	d, err := openTill(c, db, id, name)
	if err != nil {
		return k, err
	}
	running, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(running) }()
	k.closers = append(k.closers, func() error {
		stop()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			return err
		}
		return nil
	})
	d.SetOffset(0, c.now)
	if _, err := d.MoveBatch(ctx, wire.BatchOpens, "C01"); err != nil {
		return k, err
	}
	tty, err := k.tty()
	if err != nil {
		return k, err
	}
	k.scanner = tty
	scanner, err := drivers.NewScanner("serial", drivers.ScannerConfig{Path: tty.Path})
	if err != nil {
		return k, err
	}
	return k, k.supervise(ctx, scanner, func(text string) {
		shown, err := d.Present(ctx, name, "serial", text)
		if err == nil && (shown.Reason != verdict.Granted || shown.Charge == nil || shown.Charge.AmountFen != mealFen) {
			err = fmt.Errorf("%v instead of a payment", shown.Reason)
		}
		k.said <- err
	})
}

// openTill makes the desk of a till with a fixed price.
func openTill(c *campus, db *disk.DB, id journal.Identity, name string) (*till.Desk, error) {
	j, err := journal.Open(db)
	if err != nil {
		return nil, err
	}
	s, err := snapshot.OpenTill(db, id.Gate, id.Site, id.Root)
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(wire.Till{
		Version: "1", Name: "一号窗口", Merchant: "第一食堂", Entry: wire.EntryFixed, FixedFen: mealFen,
		Offline: wire.OfflineCaps{PerTxFen: 3000},
	})
	if err != nil {
		return nil, err
	}
	if err := s.Apply(group([]wire.Item{{Kind: wire.ItemTill, Key: strconv.Itoa(int(id.Gate)), Body: body}})); err != nil {
		return nil, err
	}
	if err := s.Current(c.now); err != nil {
		return nil, err
	}
	zone, err := time.LoadLocation(zoneName)
	if err != nil {
		return nil, err
	}
	now := func() time.Time { return c.now }
	return till.NewDesk(
		till.Config{
			Gate: id.Gate, Site: site, Lanes: []string{name}, Zone: zone,
			ClockMaxAge: desk.DefaultClockMaxAge, PolicyMaxAge: desk.DefaultClockMaxAge,
		},
		till.Deps{
			Store: journal.Till{Journal: j}, Ledger: journal.Till{Journal: j}, Keyring: s.Keyring, Till: s.Till, Guard: s.Guard,
			Confirmed: s.Confirmed, Corrected: func() int64 { return c.now.UnixMilli() }, Now: now, Rand: c.random,
		})
}

// pay has a code read, and waits until the till says that it is paid.
func (k *tillPC) pay(text string) error {
	if _, err := io.WriteString(k.scanner, text+"\r"); err != nil {
		return err
	}
	select {
	case err := <-k.said:
		return err
	case <-time.After(patience):
		return fmt.Errorf("the till said nothing in %v", patience)
	}
}
