package sso

import (
	"context"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// CASConfig names a CAS service.
type CASConfig struct {
	ID, Name string
	URL      string // before /login and /p3/serviceValidate
	Callback string // address of ours, which CAS calls the service
}

// CAS is a service that speaks CAS 3.0.
type CAS struct {
	config CASConfig
	client *http.Client
}

// NewCAS makes a Provider.
func NewCAS(c CASConfig) *CAS {
	c.URL = strings.TrimSuffix(c.URL, "/")
	return &CAS{config: c, client: client()}
}

// ID and the others make a CAS a Provider.
func (c *CAS) ID() string { return c.config.ID }

// Name is what people read.
func (c *CAS) Name() string { return c.config.Name }

// Kind is "cas".
func (c *CAS) Kind() string { return "cas" }

// service is our callback with the state: CAS has no state of its own, but
// gives a ticket for one service address only.
func (c *CAS) service(state string) string {
	return c.config.Callback + "?" + url.Values{"state": {state}}.Encode()
}

// Start sends the browser to the login page.
func (c *CAS) Start(_ context.Context, t *Ticket) (string, error) {
	return c.config.URL + "/login?" + url.Values{"service": {c.service(t.State)}}.Encode(), nil
}

// casAnswer is what serviceValidate gives. The XML decoder knows no entities but
// the five of XML, so an answer cannot make it read files or grow.
type casAnswer struct {
	XMLName xml.Name `xml:"http://www.yale.edu/tp/cas serviceResponse"`
	Success *struct {
		User string `xml:"http://www.yale.edu/tp/cas user"`
	} `xml:"http://www.yale.edu/tp/cas authenticationSuccess"`
	Failure *struct {
		Code string `xml:"code,attr"`
	} `xml:"http://www.yale.edu/tp/cas authenticationFailure"`
}

// Finish has the ticket checked, once: CAS gives an answer to a ticket one time.
func (c *CAS) Finish(ctx context.Context, t Ticket, query url.Values) (string, error) {
	ticket := query.Get("ticket")
	if ticket == "" || len(ticket) > 1024 {
		return "", fmt.Errorf("%w: no ticket", ErrRefused)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.config.URL+"/p3/serviceValidate?"+
		url.Values{"service": {c.service(t.State)}, "ticket": {ticket}, "format": {"XML"}}.Encode(), nil)
	if err != nil {
		return "", fmt.Errorf("%w: address", ErrUnreachable)
	}
	res, err := c.client.Do(req)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrUnreachable, cause(err))
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%w: status %d", ErrUnreachable, res.StatusCode)
	}
	var answer casAnswer
	if err := xml.NewDecoder(res.Body).Decode(&answer); err != nil {
		return "", fmt.Errorf("%w: its answer is not that of CAS 3.0", ErrUnreachable)
	}
	if answer.Failure != nil || answer.Success == nil {
		return "", fmt.Errorf("%w: ticket not accepted", ErrRefused)
	}
	number := strings.TrimSpace(answer.Success.User)
	if number == "" {
		return "", fmt.Errorf("%w: nobody in its answer", ErrRefused)
	}
	return number, nil
}
