package cards_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"campusgate/server/cards"
	"campusgate/server/people"
	"campusgate/signing/wire"
)

func TestOpen_OneCardForEachPerson(t *testing.T) {
	w := newWorld(t)
	c := w.open(t, "S1")
	if c.Account == 0 || c.Account >= 1<<53 || c.State != wire.CardActive || c.Epoch != 1 || c.Name != "林晓岚" || c.HasPassword {
		t.Fatalf("%+v", c)
	}
	if got, fine := cards.ParseDisplay(c.Display[:4] + " " + c.Display[4:]); !fine || got != c.Display || len(c.Display) != 8 {
		t.Errorf("display %q", c.Display)
	}
	_, err := w.Open(t.Context(), "test", "S1")
	wants(t, err, cards.ErrExists)
	_, err = w.Open(t.Context(), "test", "nobody")
	wants(t, err, people.ErrInvalid)
	n, err := w.OpenAll(t.Context(), "test", people.Student, "cs")
	ok(t, err)
	if n != 1 {
		t.Errorf("%d opened for students, want the other one", n)
	}
	if n, err = w.OpenAll(t.Context(), "test", "", ""); err != nil || n != 1 {
		t.Errorf("%d opened for everybody, %v", n, err)
	}
	all, err := w.List(t.Context(), w.db.Reader(), cards.Query{Limit: 10})
	ok(t, err)
	seen := map[uint64]bool{}
	for _, c := range all {
		seen[c.Account] = true
	}
	if len(all) != 3 || len(seen) != 3 {
		t.Errorf("%d cards, %d accounts", len(all), len(seen))
	}
}

func TestOpen_ManyAtOnceOpenOne(t *testing.T) {
	w := newWorld(t)
	var calls sync.WaitGroup
	for range 8 {
		calls.Go(func() { _, _ = w.Open(t.Context(), "test", "S1") })
	}
	calls.Wait()
	all, err := w.List(t.Context(), w.db.Reader(), cards.Query{Limit: 10})
	ok(t, err)
	if len(all) != 1 {
		t.Fatalf("%d cards", len(all))
	}
}

func TestDisplay_AWrongDigitIsNoticed(t *testing.T) {
	w := newWorld(t)
	c := w.open(t, "S1")
	for i := range len(c.Display) {
		for d := byte('0'); d <= '9'; d++ {
			text := c.Display[:i] + string(d) + c.Display[i+1:]
			if _, fine := cards.ParseDisplay(text); fine != (text == c.Display) {
				t.Errorf("%s: %v", text, fine)
			}
		}
	}
	for _, text := range []string{"", "1", "１２３", strings.Repeat("1", 1000), "=1+1", "1000001'", "\u202e10000017"} {
		if _, err := w.ByDisplay(t.Context(), w.db.Reader(), text); err != cards.ErrNoCard {
			t.Errorf("%.20q: %v", text, err)
		}
	}
}

func TestCards_CM080_BindByOwnNameAndNumber(t *testing.T) {
	w := newWorld(t)
	_, err := w.Bind(t.Context(), "S1", "林晓岚", "S1")
	wants(t, err, cards.ErrNoCard)
	c := w.open(t, "S1")
	w.open(t, "S2")
	_, err = w.Mine(t.Context(), "S1")
	wants(t, err, cards.ErrNoCard)
	_, err = w.Bind(t.Context(), "S1", "周敏", "S2") // a true pair, and somebody else's
	wants(t, err, cards.ErrMismatch)
	bound, err := w.Bind(t.Context(), "S1", " 林 晓岚", "ｓ1 ")
	ok(t, err)
	if bound.Account != c.Account || bound.BoundAt != w.now.Load() {
		t.Fatalf("%+v", bound)
	}
	w.add(time.Minute)
	if again, err := w.Bind(t.Context(), "S1", "林晓岚", "S1"); err != nil || again.BoundAt != bound.BoundAt {
		t.Errorf("again: %+v, %v", again, err)
	}
	mine, err := w.Mine(t.Context(), "S1")
	ok(t, err)
	if mine.Account != c.Account {
		t.Error("another card")
	}
}

func TestCards_CM080_EveryWrongPairGetsTheSameAnswerAndFewTries(t *testing.T) {
	w := newWorld(t)
	w.open(t, "S1")
	w.open(t, "S2")
	var said []string
	for _, pair := range [][2]string{
		{"周敏", "S1"}, {"林晓岚", "S2"}, {"nobody", "S999"}, {"", ""}, {strings.Repeat("林", 10_000), "' OR 1=1 --\xff"},
	} {
		_, err := w.Bind(t.Context(), "S1", pair[0], pair[1])
		wants(t, err, cards.ErrMismatch)
		said = append(said, err.Error())
	}
	for _, text := range said {
		if text != said[0] {
			t.Errorf("%q is not %q", text, said[0])
		}
	}
	_, err := w.Bind(t.Context(), "S1", "林晓岚", "S1")
	wants(t, err, cards.ErrTries)
	if _, err := w.Bind(t.Context(), "S2", "周敏", "S2"); err != nil {
		t.Errorf("somebody else: %v", err)
	}
	w.add(15 * time.Minute)
	_, err = w.Bind(t.Context(), "S1", "林晓岚", "S1")
	ok(t, err)
}

func TestCards_CM081_NameShowsHowManyCharactersAreHidden(t *testing.T) {
	for name, want := range map[string]string{
		"林晓岚": "**岚", "周敏": "*敏", "敏": "*", "": "", "阿依古丽·买买提": "*******提", "Zoe\u0308": "**\u00eb",
	} {
		if got := cards.MaskName(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

func TestCards_CM084_LossStopsTheCardAndThePasswordLiftsIt(t *testing.T) {
	w := newWorld(t)
	c := w.open(t, "S1")
	p := newPhone(t)
	p.enrol(t, w, c.Account)
	if w.told(t, c.Account) != nil {
		t.Fatal("tills were told of a card in order")
	}
	began := w.now.Load()
	lost, err := w.ReportLoss(t.Context(), "person S1", c.Account, "")
	ok(t, err)
	item := w.told(t, c.Account)
	if lost.State != wire.CardLost || lost.LostAt != began || item == nil || item.State != wire.CardLost || item.At != began || item.Epoch != 1 {
		t.Fatalf("%+v; tills: %+v", lost, item)
	}
	if item.Expires <= began/1000+72*3600 {
		t.Errorf("tills forget it at %d, while its credential is good", item.Expires)
	}
	w.add(time.Minute)
	if again, err := w.ReportLoss(t.Context(), "person S1", c.Account, ""); err != nil || again.LostAt != began {
		t.Errorf("lost twice: %d, %v", again.LostAt, err)
	}
	_, err = p.asks(t, w, c.Account)
	wants(t, err, cards.ErrState)
	_, _, err = w.Brief(t.Context(), c.Account, false)
	wants(t, err, cards.ErrState)
	_, err = w.LiftLoss(t.Context(), "person S1", c.Account, "")
	wants(t, err, cards.ErrPassword) // there is none
	_, err = w.SetPassword(t.Context(), "person S1", c.Account, "", "274081")
	ok(t, err)
	_, err = w.LiftLoss(t.Context(), "person S1", c.Account, "274082")
	wants(t, err, cards.ErrPassword)
	found, err := w.LiftLoss(t.Context(), "person S1", c.Account, "274081")
	ok(t, err)
	if found.State != wire.CardActive || w.told(t, c.Account) != nil {
		t.Fatalf("%+v", found)
	}
	_, err = w.LiftLoss(t.Context(), "person S1", c.Account, "274081")
	wants(t, err, cards.ErrState)
	for at, want := range map[int64]bool{began: false, began + 1: true, w.now.Load() - 1: true, w.now.Load(): false} {
		got, err := w.WasLost(t.Context(), w.db.Reader(), c.Account, at)
		if err != nil || got != want {
			t.Errorf("lost at %+d ms: %v, %v", at-began, got, err)
		}
	}
}

func TestCards_CM085_PasswordOfSixDigitsAndFiveTries(t *testing.T) {
	w := newWorld(t)
	c := w.open(t, "S1")
	for _, weak := range []string{
		"123456", "000000", "654321", "121212", "123123", "112233", "12345", "2740811", "27408a", "", "２７４０８１", "=1+1--", "\xff\xff\xff\xff\xff\xff",
	} {
		_, err := w.SetPassword(t.Context(), "person S1", c.Account, "", weak)
		wants(t, err, cards.ErrWeak)
	}
	wants(t, w.CheckPassword(t.Context(), c.Account, "274081"), cards.ErrPassword)
	_, err := w.SetPassword(t.Context(), "person S1", c.Account, "", "274081")
	ok(t, err)
	ok(t, w.CheckPassword(t.Context(), c.Account, "274081"))
	_, err = w.SetPassword(t.Context(), "person S1", c.Account, "", "935026")
	wants(t, err, cards.ErrPassword)
	_, err = w.SetPassword(t.Context(), "person S1", c.Account, "274081", "935026")
	ok(t, err)
	for range 5 {
		wants(t, w.CheckPassword(t.Context(), c.Account, "274081"), cards.ErrPassword)
	}
	wants(t, w.CheckPassword(t.Context(), c.Account, "935026"), cards.ErrLocked)
	w.add(15 * time.Minute)
	ok(t, w.CheckPassword(t.Context(), c.Account, "935026"))
	cleared, err := w.ClearPassword(t.Context(), "person T1", c.Account, "忘记", nil)
	ok(t, err)
	if cleared.HasPassword {
		t.Error("still there")
	}
	_, err = w.SetPassword(t.Context(), "person S1", c.Account, "", "274081")
	ok(t, err)
}

// Many tries at once are no more than five either.
func TestCards_CM085_GuessingAllAtOnce(t *testing.T) {
	w := newWorld(t)
	c := w.open(t, "S1")
	_, err := w.SetPassword(t.Context(), "person S1", c.Account, "", "274081")
	ok(t, err)
	var calls sync.WaitGroup
	answers := make(chan error, 12)
	for i := range 12 {
		calls.Go(func() { answers <- w.CheckPassword(t.Context(), c.Account, fmt.Sprintf("9350%02d", i)) })
	}
	calls.Wait()
	close(answers)
	looked := 0
	for err := range answers {
		if err == cards.ErrPassword {
			looked++
		}
	}
	if looked != 5 {
		t.Fatalf("%d were looked at", looked)
	}
}

func TestFreeze_ReissueAndClose(t *testing.T) {
	w := newWorld(t)
	c := w.open(t, "S1")
	newPhone(t).enrol(t, w, c.Account)
	frozen, err := w.Freeze(t.Context(), "person T1", c.Account, "盗刷调查")
	ok(t, err)
	if frozen.State != wire.CardFrozen || frozen.FreezeReason != "盗刷调查" || w.told(t, c.Account).State != wire.CardFrozen {
		t.Fatalf("%+v", frozen)
	}
	lost, err := w.ReportLoss(t.Context(), "person S1", c.Account, "")
	ok(t, err)
	if lost.State != wire.CardLost {
		t.Errorf("lost and frozen is %s", lost.State)
	}
	fresh, err := w.Reissue(t.Context(), "person T1", c.Account, "补卡")
	ok(t, err)
	if item := w.told(t, c.Account); fresh.State != wire.CardFrozen || fresh.Epoch != 2 || item.Epoch != 2 || item.State != wire.CardFrozen {
		t.Fatalf("%+v; tills: %+v", fresh, item)
	}
	_, err = w.Unfreeze(t.Context(), "person T1", c.Account, "查清")
	ok(t, err)
	// In order again, and tills still have to know of the credential of before.
	if item := w.told(t, c.Account); item == nil || item.State != wire.CardActive || item.Epoch != 2 {
		t.Fatalf("tills: %+v", item)
	}
	_, err = w.Unfreeze(t.Context(), "person T1", c.Account, "查清")
	wants(t, err, cards.ErrState)

	ok(t, w.TakeOver(t.Context(), "person T1", c.Account, 5000))
	_, err = w.Close(t.Context(), "person T1", c.Account, "离校")
	wants(t, err, cards.ErrBalance)
	w.spend(t, c.Account, "charge/1-1-1", 6000)
	_, err = w.Close(t.Context(), "person T1", c.Account, "离校")
	wants(t, err, cards.ErrDebt)
	ok(t, w.WriteOff(t.Context(), "person T1", c.Account, "11111111", "无法追回"))
	ok(t, w.WriteOff(t.Context(), "person T1", c.Account, "11111111", "无法追回"))
	wants(t, w.WriteOff(t.Context(), "person T1", c.Account, "22222222", "无法追回"), cards.ErrDebt)
	closed, err := w.Close(t.Context(), "person T1", c.Account, "离校")
	ok(t, err)
	if closed.State != wire.CardClosed || w.told(t, c.Account).State != wire.CardClosed || w.balance(t, c.Account).Total() != 0 {
		t.Fatalf("%+v", closed)
	}
	for name, err := range map[string]error{
		"loss":     second(w.ReportLoss(t.Context(), "x", c.Account, "")),
		"freeze":   second(w.Freeze(t.Context(), "x", c.Account, "")),
		"reissue":  second(w.Reissue(t.Context(), "x", c.Account, "")),
		"password": second(w.SetPassword(t.Context(), "x", c.Account, "", "274081")),
		"lift":     second(w.LiftLoss(t.Context(), "x", c.Account, "274081")),
		"phone":    second(newPhone(t).asks(t, w, c.Account)),
	} {
		if err != cards.ErrClosed {
			t.Errorf("%s of a closed card: %v", name, err)
		}
	}
	again := w.open(t, "S1")
	if again.Account == c.Account || again.Display == c.Display {
		t.Error("the old account was given out again")
	}
}

func second[A any](_ A, err error) error { return err }

func TestTakeOver_Once(t *testing.T) {
	w := newWorld(t)
	c := w.open(t, "S1")
	ok(t, w.TakeOver(t.Context(), "person T1", c.Account, 5000))
	w.add(time.Hour)
	ok(t, w.TakeOver(t.Context(), "person T1", c.Account, 5000))
	wants(t, w.TakeOver(t.Context(), "person T1", c.Account, 5001), cards.ErrBatch)
	for _, fen := range []int64{0, -1, 1 << 60} {
		wants(t, w.TakeOver(t.Context(), "person T1", c.Account, fen), people.ErrInvalid)
	}
	if b := w.balance(t, c.Account); b.MainFen != 5000 {
		t.Errorf("%+v", b)
	}
}
