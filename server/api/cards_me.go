package api

import (
	"context"
	"net/http"

	"campusgate/server/auth"
	"campusgate/server/cards"
	"campusgate/server/issue"
	"campusgate/server/store"
)

// CardVerifier is what a phone with no network checks the card password by.
type CardVerifier struct {
	cards.Verifier
	KDF string `json:"kdf" enum:"PBKDF2-SHA256"`
}

// CardCredential is what a phone pays with.
type CardCredential struct {
	Credential
	Verifier *CardVerifier `json:"verifier,omitempty" doc:"absent = the card has no password"`
}

// CardNonce is what a phone signs to show that it holds its key.
type CardNonce struct {
	Nonce
	Pass string `json:"pass" doc:"id of the card's credentials"`
}

// Dispute is a payment that the holder does not know.
type Dispute struct {
	ID       int64  `json:"id"`
	Transfer string `json:"transfer"`
	Text     string `json:"text"`
	OpenedAt int64  `json:"opened_at"`
	State    string `json:"state" enum:"open,merchant,holder,dismiss"`
}

type cardPassword struct {
	Password string `json:"password" maxLength:"64"`
}

type (
	bindInput struct {
		Body struct {
			Name   string `json:"name" maxLength:"200"`
			Number string `json:"number" maxLength:"64"`
		}
	}
	cardPasswordInput    struct{ Body cardPassword }
	newCardPasswordInput struct {
		Body struct {
			Old string `json:"old,omitempty" maxLength:"64" doc:"where there is one"`
			New string `json:"new" maxLength:"64" doc:"six digits"`
		}
	}
	cardCodeInput struct {
		Body struct {
			Code string `json:"code" maxLength:"16"`
		}
	}
	offlineInput struct {
		Body struct {
			Enabled   bool  `json:"enabled"`
			PerTxFen  int64 `json:"per_tx_fen,omitempty" doc:"0 = as much as the campus allows"`
			PerDayFen int64 `json:"per_day_fen,omitempty" doc:"0 = as much as the campus allows"`
		}
	}
	limitsInput struct {
		Body struct {
			PerTxFen  int64 `json:"per_tx_fen,omitempty" doc:"0 = as much as the campus allows"`
			PerDayFen int64 `json:"per_day_fen,omitempty" doc:"0 = as much as the campus allows"`
		}
	}
	cardKeyInput struct {
		Body struct {
			PublicKey []byte `json:"public_key" doc:"P-256 public key: SPKI, or point, base64"`
			Proof     []byte `json:"proof" doc:"signature r || s (64 bytes) over the message of an open nonce, base64"`
		}
	}
	disputeInput struct {
		Body struct {
			Transfer string `json:"transfer" maxLength:"200"`
			Text     string `json:"text"`
		}
	}
)

type (
	cardNonceOutput      struct{ Body CardNonce }
	cardCredentialOutput struct{ Body CardCredential }
	disputeOutput        struct{ Body Dispute }
)

// mine serves a call about the caller's own card, which they have bound.
func mine[I, O any](a *API, do func(ctx context.Context, c cards.Account, in *I) (*O, error)) func(context.Context, *I) (*O, error) {
	return func(ctx context.Context, in *I) (*O, error) {
		me, err := a.person(ctx)
		if err != nil {
			return nil, err
		}
		c, err := a.Cards.Mine(ctx, me)
		if err != nil {
			return nil, err
		}
		return do(ctx, c, in)
	}
}

func (a *API) cardRoutes() {
	self := func(method, path, id, text string, status int) route {
		return route{
			method: method, path: prefix + "/cards/me" + path, scope: auth.Self, id: id, text: text, status: status,
			errors: []int{http.StatusNotFound, http.StatusConflict},
		}
	}
	add(a, self("GET", "", "my-card", "我的校园卡 My card", 0), mine(a, func(ctx context.Context, c cards.Account, _ *struct{}) (*cardOutput, error) {
		return a.myCard(ctx, c, nil)
	}))
	add(a, self("POST", "/bind", "bind-card", "绑定校园卡 Bind my card by my own name and number", 0), a.bindCard)
	add(a, self("POST", "/loss", "report-card-lost", "挂失 Report my card lost: it pays no more", 0), mine(a, a.reportLost))
	add(a, self("DELETE", "/loss", "lift-card-loss", "解挂 I have it: it pays again", 0), mine(a, a.liftLoss))
	add(a, self("PUT", "/password", "change-card-password", "修改卡密码 Set or change the card password", 0), mine(a, a.setCardPassword))
	add(a, self("POST", "/password/code", "send-card-code", "忘记卡密码:发送验证码 Send a code to my phone, to forget the card password", http.StatusAccepted), mine(a, a.sendCardCode))
	add(a, self("POST", "/password/reset", "forget-card-password", "凭验证码清除卡密码 Take the card password away, by a code", 0), mine(a, a.forgetCardPassword))
	add(a, self("PUT", "/offline", "set-card-offline", "离线支付 Payments without a network: lower them, or switch them off", 0), mine(a, a.setOffline))
	add(a, self("PUT", "/limits", "set-card-limits", "消费限额 Lower my own limits", 0), mine(a, a.setLimits))
	add(a, self("GET", "/entries", "my-card-entries", "交易记录 What my card was used for, newest first", 0), mine(a, a.myEntries))
	add(a, self("GET", "/statement", "my-card-statement", "月结单 A month of my card", 0), mine(a, a.myStatement))
	add(a, self("POST", "/keys/nonce", "card-nonce", "取付款密钥的随机数 A nonce for the phone key that is to pay", http.StatusCreated), mine(a, a.cardNonce))
	add(a, self("POST", "/keys", "enrol-card-phone", "登记或续期付款手机 Have this phone pay; any other does no more", http.StatusCreated), mine(a, a.enrolCardPhone))
	add(a, self("GET", "/code", "card-code", "付款码 A payment code for a browser without a key store", 0), mine(a, a.cardCode))
	add(a, self("POST", "/code", "confirmed-card-code", "凭卡密码取付款码 The same, confirmed with the card password", 0), mine(a, a.confirmedCode))
	add(a, self("POST", "/disputes", "dispute-payment", "对消费有疑问 Have a payment looked into", http.StatusCreated), mine(a, a.dispute))
	a.cardOfficeRoutes()
	a.subsidyRoutes()
}

func (a *API) bindCard(ctx context.Context, in *bindInput) (*cardOutput, error) {
	me, err := a.person(ctx)
	if err != nil {
		return nil, err
	}
	c, err := a.Cards.Bind(ctx, me, in.Body.Name, in.Body.Number)
	return a.myCard(ctx, c, err)
}

func (a *API) reportLost(ctx context.Context, c cards.Account, _ *struct{}) (*cardOutput, error) {
	c, err := a.Cards.ReportLoss(ctx, caller(ctx).Actor, c.Account, "")
	return a.myCard(ctx, c, err)
}

func (a *API) liftLoss(ctx context.Context, c cards.Account, in *cardPasswordInput) (*cardOutput, error) {
	c, err := a.Cards.LiftLoss(ctx, caller(ctx).Actor, c.Account, in.Body.Password)
	return a.myCard(ctx, c, err)
}

func (a *API) setCardPassword(ctx context.Context, c cards.Account, in *newCardPasswordInput) (*cardOutput, error) {
	c, err := a.Cards.SetPassword(ctx, caller(ctx).Actor, c.Account, in.Body.Old, in.Body.New)
	return a.myCard(ctx, c, err)
}

func (a *API) sendCardCode(ctx context.Context, c cards.Account, _ *struct{}) (*codeOutput, error) {
	return a.sending(ctx, func() error { return a.Accounts.SendCardCode(ctx, c.Person) })
}

func (a *API) forgetCardPassword(ctx context.Context, c cards.Account, in *cardCodeInput) (*cardOutput, error) {
	err := a.guarded(ctx, func() (err error) {
		c, err = a.Cards.ClearPassword(ctx, caller(ctx).Actor, c.Account, "code", func(t *store.Tx) (refusal, fault error) {
			good, err := a.Accounts.TakeCardCode(t, c.Person, in.Body.Code)
			if err == nil && !good {
				return auth.ErrCode, nil
			}
			return nil, err
		})
		return err
	})
	return a.myCard(ctx, c, err)
}

func (a *API) setOffline(ctx context.Context, c cards.Account, in *offlineInput) (*cardOutput, error) {
	c, err := a.Cards.SetOffline(ctx, caller(ctx).Actor, c.Account, in.Body.Enabled, in.Body.PerTxFen, in.Body.PerDayFen)
	return a.myCard(ctx, c, err)
}

func (a *API) setLimits(ctx context.Context, c cards.Account, in *limitsInput) (*cardOutput, error) {
	c, err := a.Cards.SetLimits(ctx, caller(ctx).Actor, c.Account, in.Body.PerTxFen, in.Body.PerDayFen)
	return a.myCard(ctx, c, err)
}

func (a *API) myEntries(ctx context.Context, c cards.Account, in *EntriesQuery) (*cardEntriesOutput, error) {
	return a.cardEntries(ctx, c.Account, *in)
}

func (a *API) myStatement(ctx context.Context, c cards.Account, in *MonthQuery) (*cardStatementOutput, error) {
	return a.cardStatement(ctx, c.Account, in.Month)
}

func (a *API) cardNonce(ctx context.Context, c cards.Account, _ *struct{}) (*cardNonceOutput, error) {
	id, nonce, err := a.Cards.Nonce(ctx, c.Account)
	if err != nil {
		return nil, err
	}
	return &cardNonceOutput{CardNonce{
		Nonce: Nonce{Nonce: nonce, Message: issue.ProofBytes(id, nonce), ExpiresAt: a.Now().Add(issue.NonceLife).UnixMilli()},
		Pass:  id.String(),
	}}, nil
}

func (a *API) enrolCardPhone(ctx context.Context, c cards.Account, in *cardKeyInput) (*cardCredentialOutput, error) {
	made, err := a.Cards.EnrolPhone(ctx, caller(ctx).Actor, c.Account, in.Body.PublicKey, in.Body.Proof)
	if err != nil {
		return nil, err
	}
	out := CardCredential{Credential: Credential{Credential: made.Text, Phone: made.Phone.String(), ExpiresAt: made.Expires * 1000}}
	if made.Verifier != nil {
		out.Verifier = &CardVerifier{*made.Verifier, cards.KDF}
	}
	return &cardCredentialOutput{out}, nil
}

func (a *API) cardCode(ctx context.Context, c cards.Account, _ *struct{}) (*liveOutput, error) {
	return a.briefCode(ctx, c, false)
}

func (a *API) confirmedCode(ctx context.Context, c cards.Account, in *cardPasswordInput) (*liveOutput, error) {
	if err := a.Cards.CheckPassword(ctx, c.Account, in.Body.Password); err != nil {
		return nil, err
	}
	return a.briefCode(ctx, c, true)
}

func (a *API) briefCode(ctx context.Context, c cards.Account, confirmed bool) (*liveOutput, error) {
	text, expires, err := a.Cards.Brief(ctx, c.Account, confirmed)
	if err != nil {
		return nil, err
	}
	out := &liveOutput{}
	out.Body.Code, out.Body.ExpiresAt = text, expires*1000
	return out, nil
}

func (a *API) dispute(ctx context.Context, c cards.Account, in *disputeInput) (*disputeOutput, error) {
	d, err := a.Cards.Dispute(ctx, caller(ctx).Actor, c.Account, in.Body.Transfer, in.Body.Text)
	return &disputeOutput{Dispute{ID: d.ID, Transfer: d.Transfer, Text: d.Text, OpenedAt: d.OpenedAt, State: string(d.State)}}, err
}
