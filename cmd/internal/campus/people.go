package campus

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/cookiejar"

	"campusgate/configs"
)

// Of the invented campus in configs/people.
const (
	home  = "A"     // the campus whose gates these are
	guard = "T1004" // the number of its guard
)

// SignIn signs somebody in by phone, as the pages do, and gives a client with
// their session.
func (c *Campus) SignIn(ctx context.Context, phone string) (Client, error) {
	return c.SignInFrom(ctx, phone, nil)
}

// SignInFrom signs in from an address of this machine, such as 127.0.1.7; nil =
// the usual one. The server has few codes sent for one address.
func (c *Campus) SignInFrom(ctx context.Context, phone string, from net.IP) (Client, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return Client{}, err
	}
	dial := &net.Dialer{}
	if from != nil {
		dial.LocalAddr = &net.TCPAddr{IP: from}
	}
	who := Client{Base: c.Client.Base, HTTP: &http.Client{Jar: jar, Transport: &http.Transport{DialContext: dial.DialContext}}}
	if err := who.Do(ctx, http.MethodPost, "/api/v1/login/code", map[string]string{"phone": phone}, nil); err != nil {
		return Client{}, err
	}
	code, err := c.Texts.Await(ctx, phone)
	if err != nil {
		return Client{}, err
	}
	return who, who.Do(ctx, http.MethodPost, "/api/v1/login/phone", map[string]string{"phone": phone, "code": code}, nil)
}

// Populate publishes the shipped flows, fills an empty campus with the invented
// people of configs/people, has the zone of the gates be that of their campus,
// puts the guard at the first gate, and opens everybody's campus card.
func (c *Campus) Populate(ctx context.Context) error {
	if err := c.publish(ctx); err != nil { // first: they name posts that people hold
		return err
	}
	files, err := configs.People()
	if err != nil {
		return err
	}
	for _, f := range files {
		if err := c.Client.Import(ctx, f.Kind, f.Name, f.Data); err != nil {
			return err
		}
	}
	err = c.Client.Do(ctx, http.MethodPut, "/api/v1/campuses/"+home, map[string]any{"name": "A校区", "zone": 1, "police": "沙坪坝派出所"}, nil)
	if err != nil {
		return err
	}
	err = c.Client.Do(ctx, http.MethodPost, "/api/v1/posts", map[string]any{"role": "guard", "person": guard, "gate": c.Gates[0].ID}, nil)
	if err != nil {
		return err
	}
	return c.openCards(ctx)
}

// opening is what everybody of the invented campus has on their card.
const opening = 5000 // fen

// openCards gives everybody a card with some money on it.
func (c *Campus) openCards(ctx context.Context) error {
	if err := c.Client.Do(ctx, http.MethodPost, "/api/v1/cards/bulk", map[string]any{}, nil); err != nil {
		return err
	}
	for after, more := "", true; more; {
		var page struct {
			Items []struct {
				Account string `json:"account"`
			} `json:"items"`
			Next string `json:"next"`
		}
		if err := c.Client.Do(ctx, http.MethodGet, "/api/v1/cards?limit=200&after="+after, nil, &page); err != nil {
			return err
		}
		for _, card := range page.Items {
			err := c.Client.Do(ctx, http.MethodPost, "/api/v1/cards/"+card.Account+"/opening", map[string]any{"amount_fen": opening}, nil)
			if err != nil {
				return err
			}
		}
		after, more = page.Next, page.Next != ""
	}
	return nil
}

func (c *Campus) publish(ctx context.Context) error {
	files, err := fs.Glob(configs.Flows(), "*.yaml")
	if err != nil {
		return err
	}
	for _, name := range files {
		text, err := fs.ReadFile(configs.Flows(), name)
		if err != nil {
			return err
		}
		if err := c.Client.Do(ctx, http.MethodPost, "/api/v1/flows", map[string]string{"name": name, "yaml": string(text)}, nil); err != nil {
			return err
		}
	}
	return nil
}

// Import uploads a file of people, households and so on, and confirms it. A
// faulty row is an error, and then nothing is done.
func (c Client) Import(ctx context.Context, kind, name string, data []byte) error {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	file, err := form.CreateFormFile("file", name)
	if err == nil {
		_, err = file.Write(data)
	}
	if err == nil {
		err = form.Close()
	}
	if err != nil {
		return err
	}
	var looked struct {
		ID     string `json:"id"`
		Faults []struct {
			Row     int    `json:"row"`
			Message string `json:"message"`
		} `json:"faults"`
	}
	if err := c.send(ctx, http.MethodPost, "/api/v1/imports?kind="+kind, form.FormDataContentType(), &body, &looked); err != nil {
		return err
	}
	if len(looked.Faults) > 0 {
		return fmt.Errorf("%s: %d rows are faulty; row %d: %s", name, len(looked.Faults), looked.Faults[0].Row, looked.Faults[0].Message)
	}
	return c.Do(ctx, http.MethodPost, "/api/v1/imports/"+looked.ID+"/confirm", map[string]any{}, nil)
}
