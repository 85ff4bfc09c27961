package main

import (
	"flag"
	"fmt"

	"campusgate/signing/paycode"
)

// payFlags are what only a payment credential has. Amounts are fen.
type payFlags struct {
	account, epoch                 uint64
	perTx, perDayOffline, maxCount uint64
}

var payFlagNames = []string{"account", "epoch", "per-tx-fen", "per-day-offline-fen", "max-offline-tx"}

func (p *payFlags) add(fs *flag.FlagSet) {
	fs.Uint64Var(&p.account, "account", 0, "`N` pay: 账户假名 / pseudonym of the card account")
	fs.Uint64Var(&p.epoch, "epoch", 0, "`N` pay: 凭证代数 / epoch of the credential")
	fs.Uint64Var(&p.perTx, "per-tx-fen", 0, "`FEN` pay: 单笔上限 / most for one payment")
	fs.Uint64Var(&p.perDayOffline, "per-day-offline-fen", 0, "`FEN` pay: 每日离线上限 / most for a day offline")
	fs.Uint64Var(&p.maxCount, "max-offline-tx", 0, "`N` pay: 离线笔数 / payments offline")
}

// anyGiven names a flag of these that was given, or "".
func (p *payFlags) anyGiven(o *options) string {
	for _, name := range payFlagNames {
		if o.given(name) {
			return name
		}
	}
	return ""
}

// paycode refuses every flag that says something a payment credential cannot
// hold: a credential that says less than was asked for would be worse than none.
func (f *issueFlags) paycode(t terms) (*paycode.Pay, error) {
	for _, name := range []string{"name", "doc4", "uses", "zones", "owner"} {
		if v := f.Lookup(name).Value.String(); v != "" && v != "0" {
			return nil, fmt.Errorf("-%s 不用于 pay / is not part of kind pay", name)
		}
	}
	switch {
	case t.from > t.issued:
		return nil, fmt.Errorf("-from: 支付凭证立即生效 / a payment credential is valid at once")
	case f.phone.key == nil:
		return nil, fmt.Errorf("-cnf 必须给出 / is required for kind pay")
	case !f.given("account"):
		return nil, fmt.Errorf("-account 必须给出 / is required for kind pay")
	case f.pay.epoch > 1<<32-1:
		return nil, fmt.Errorf("-epoch: at most %d", uint32(1<<32-1))
	case f.pay.maxCount > 1<<32-1:
		return nil, fmt.Errorf("-max-offline-tx: at most %d", uint32(1<<32-1))
	case f.pay.perTx > paycode.MaxFen:
		return nil, fmt.Errorf("-per-tx-fen: at most %d", int64(paycode.MaxFen))
	case f.pay.perDayOffline > paycode.MaxFen:
		return nil, fmt.Errorf("-per-day-offline-fen: at most %d", int64(paycode.MaxFen))
	}
	return &paycode.Pay{
		ID: t.id, Account: f.pay.account, Epoch: uint32(f.pay.epoch),
		PerTxFen: int64(f.pay.perTx), PerDayOfflineFen: int64(f.pay.perDayOffline), MaxOfflineTx: uint32(f.pay.maxCount),
		Expires: t.expire, IssuedAt: t.issued, Phone: *f.phone.key,
	}, nil
}
