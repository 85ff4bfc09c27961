package api

import (
	"context"
	"net/http"

	"campusgate/server/auth"
	"campusgate/server/issue"
	"campusgate/signing"
)

// Nonce is what a phone signs to show that it holds its key.
type Nonce struct {
	Nonce     []byte `json:"nonce" doc:"32 random bytes, base64"`
	Message   []byte `json:"message" doc:"the bytes to sign: ECDSA P-256 with SHA-256, base64"`
	ExpiresAt int64  `json:"expires_at"`
}

// Credential is what a phone makes live codes with.
type Credential struct {
	Credential string `json:"credential" doc:"CP1: text, to be proved by the phone"`
	Phone      string `json:"phone" doc:"id of the phone key"`
	ExpiresAt  int64  `json:"expires_at" doc:"renew before"`
}

type nonceOutput struct{ Body Nonce }

type phoneInput struct {
	PassPath
	Body struct {
		PublicKey []byte `json:"public_key" doc:"P-256 public key: SPKI, or point, base64"`
		Proof     []byte `json:"proof" doc:"signature r || s (64 bytes) over the message of an open nonce, base64"`
	}
}

type credentialOutput struct{ Body Credential }

func (a *API) phoneRoutes() {
	add(a, route{
		method: http.MethodPost, path: prefix + "/passes/{id}/keys/nonce", scope: auth.PassesWrite, holder: true, id: "phone-nonce",
		text: "取手机密钥的随机数 A nonce for a phone key to sign", status: http.StatusCreated,
		errors: []int{http.StatusNotFound, http.StatusConflict},
	}, a.phoneNonce)
	add(a, route{
		method: http.MethodPost, path: prefix + "/passes/{id}/keys", scope: auth.PassesWrite, holder: true, id: "enrol-phone",
		text:   "登记或续期手机密钥 Enrol or renew the phone key of a bound pass; another key replaces the first",
		status: http.StatusCreated, errors: []int{http.StatusNotFound, http.StatusConflict, http.StatusGone},
	}, a.enrolPhone)
}

// heldPass is the pass of a call that its holder may make, and whoever writes
// passes. Other people's passes are not there.
func (a *API) heldPass(ctx context.Context, in *PassPath) (signing.PassID, error) {
	id, err := in.id()
	if err != nil {
		return id, err
	}
	who := caller(ctx)
	if who.May(auth.PassesWrite) {
		return id, nil
	}
	mine, err := a.Apply.Holds(ctx, who.Person, id)
	if err == nil && !mine {
		err = errNoPass
	}
	return id, err
}

func (a *API) phoneNonce(ctx context.Context, in *PassPath) (*nonceOutput, error) {
	id, err := a.heldPass(ctx, in)
	if err != nil {
		return nil, err
	}
	nonce, err := a.Issue.Nonce(ctx, id)
	if err != nil {
		return nil, err
	}
	return &nonceOutput{Nonce{
		Nonce: nonce, Message: issue.ProofBytes(id, nonce), ExpiresAt: a.Now().Add(issue.NonceLife).UnixMilli(),
	}}, nil
}

func (a *API) enrolPhone(ctx context.Context, in *phoneInput) (*credentialOutput, error) {
	id, err := a.heldPass(ctx, &in.PassPath)
	if err != nil {
		return nil, err
	}
	c, err := a.Issue.Enrol(ctx, caller(ctx).Actor, id, in.Body.PublicKey, in.Body.Proof)
	if err != nil {
		return nil, err
	}
	return &credentialOutput{Credential{Credential: c.Text, Phone: c.Phone.String(), ExpiresAt: c.Expires * 1000}}, nil
}
