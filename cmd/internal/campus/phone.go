package campus

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"net/http"
	"sync"
	"time"

	"campusgate/signing"
	"campusgate/signing/code"
	"campusgate/signing/pass"
)

// CodePeriod is how long a phone shows one live code.
const CodePeriod = 10 * time.Second

// Phone is a holder's phone: it has a key of its own and the credential that
// the server gave it, and makes live codes without anybody's help. Safe for
// concurrent use.
type Phone struct {
	Pass string // id; "" = it pays
	ID   string // of its key

	key     *ecdsa.PrivateKey
	path    string // where its key is enrolled
	context signing.Context

	mu         sync.Mutex
	credential []byte
	counter    uint64
}

// EnrolPhone makes the key of a new phone the one of a pass that was issued
// with Bound. Any phone that had the pass before has it no more.
func (c Client) EnrolPhone(ctx context.Context, passID string) (*Phone, error) {
	return c.enrol(ctx, &Phone{Pass: passID, path: "/api/v1/passes/" + passID + "/keys", context: signing.ContextGate})
}

// EnrolCard makes a new phone the one that pays with the campus card of whoever
// is signed in.
func (c Client) EnrolCard(ctx context.Context) (*Phone, error) {
	return c.enrol(ctx, &Phone{path: "/api/v1/cards/me/keys", context: signing.ContextPay})
}

func (c Client) enrol(ctx context.Context, p *Phone) (_ *Phone, err error) {
	if p.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return nil, fmt.Errorf("phone key: %w", err)
	}
	public, err := signing.PhoneKeyOf(&p.key.PublicKey)
	if err != nil {
		return nil, err
	}
	p.ID = public.ID().String()
	return p, p.Renew(ctx, c)
}

// Renew gets the phone another credential, which lasts longer. If the pass has
// moved to another phone meanwhile, it comes back.
func (p *Phone) Renew(ctx context.Context, c Client) error {
	var nonce struct {
		Message []byte `json:"message"`
	}
	if err := c.Do(ctx, http.MethodPost, p.path+"/nonce", nil, &nonce); err != nil {
		return err
	}
	public, err := p.key.PublicKey.Bytes()
	if err != nil {
		return fmt.Errorf("phone key: %w", err)
	}
	digest := sha256.Sum256(nonce.Message)
	r, s, err := ecdsa.Sign(rand.Reader, p.key, digest[:])
	if err != nil {
		return fmt.Errorf("phone key: %w", err)
	}
	var given struct {
		Credential string `json:"credential"`
	}
	proof := append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	if err := c.Do(ctx, http.MethodPost, p.path, map[string][]byte{"public_key": public, "proof": proof}, &given); err != nil {
		return err
	}
	credential, err := code.Credential(given.Credential)
	if err != nil {
		return fmt.Errorf("credential of pass %s: %w", p.Pass, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.credential = credential
	return nil
}

// Code makes the live code that the phone shows at this moment of its clock.
// Every code has a higher counter than the one before.
func (p *Phone) Code(at time.Time) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	proof := signing.Proof{T: at.Unix(), Counter: p.counter + 1, Context: p.context}
	if _, err := rand.Read(proof.Nonce[:]); err != nil {
		return "", err
	}
	live, err := signing.MakeProof(p.key, rand.Reader, p.credential, proof)
	if err != nil {
		return "", fmt.Errorf("live code of pass %s: %w", p.Pass, err)
	}
	p.counter++
	return pass.LiveText(live), nil
}
