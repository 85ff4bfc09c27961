package api

import (
	"context"
	"net/http"
	"time"

	"campusgate/server/auth"
	"campusgate/server/issue"
	"campusgate/server/notify"
)

// Message is something that a person should know.
type Message struct {
	ID      int64  `json:"id"`
	Kind    string `json:"kind" doc:"assigned, handled, returned, rejected, completed, terminated, urged, cc, comment, remind or notice"`
	Subject string `json:"subject" doc:"title of the matter"`
	Text    string `json:"text"`
	Link    string `json:"link" doc:"place of the matter, below the page's own address"`
	At      int64  `json:"at"`
	ReadAt  int64  `json:"read_at,omitempty"`
}

type messagesInput struct {
	ListQuery
	Unread bool `query:"unread" doc:"only what was not read"`
	Year   int  `query:"year" minimum:"0" maximum:"9998" doc:"of the message; 0 = any"`
	Month  int  `query:"month" minimum:"0" maximum:"12" doc:"with year; 0 = the whole year"`
}

type messagePath struct {
	ID int64 `path:"id" minimum:"1"`
}

type unreadOutput struct {
	Body struct {
		Unread int `json:"unread"`
	}
}

func (a *API) messageRoutes() {
	add(a, route{
		method: http.MethodGet, path: prefix + "/messages", scope: auth.Self, id: "list-messages", text: "我的消息 My messages, newest first",
	}, a.listMessages)
	add(a, route{
		method: http.MethodGet, path: prefix + "/messages/count", scope: auth.Self, id: "count-messages", text: "未读消息数 How many I have not read",
	}, a.countMessages)
	add(a, route{
		method: http.MethodPost, path: prefix + "/messages/read", scope: auth.Self, id: "read-messages", text: "全部已读 Mark all of mine as read",
		status: http.StatusNoContent,
	}, func(ctx context.Context, _ *struct{}) (*struct{}, error) { return a.readMessage(ctx, 0) })
	add(a, route{
		method: http.MethodPost, path: prefix + "/messages/{id}/read", scope: auth.Self, id: "read-message", text: "标为已读 Mark one as read",
		status: http.StatusNoContent, errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *messagePath) (*struct{}, error) { return a.readMessage(ctx, in.ID) })
}

func (a *API) listMessages(ctx context.Context, in *messagesInput) (*pageOutput[Message], error) {
	person, err := a.person(ctx)
	if err != nil {
		return nil, err
	}
	f := notify.Filter{Unread: in.Unread, Limit: in.Size, Offset: in.offset()}
	switch {
	case in.Year == 0 && in.Month != 0:
		return nil, &issue.Fault{Field: "year", ZH: "缺少年份", EN: "missing: which year"}
	case in.Month != 0:
		begin := time.Date(in.Year, time.Month(in.Month), 1, 0, 0, 0, 0, a.Location)
		f.From, f.Until = begin.UnixMilli(), begin.AddDate(0, 1, 0).UnixMilli()
	case in.Year != 0:
		begin := time.Date(in.Year, time.January, 1, 0, 0, 0, 0, a.Location)
		f.From, f.Until = begin.UnixMilli(), begin.AddDate(1, 0, 0).UnixMilli()
	}
	found, total, err := a.Notify.List(ctx, person, f)
	if err != nil {
		return nil, err
	}
	return pageOf(in.ListQuery, mapped(found, func(m notify.Message) Message {
		return Message{ID: m.ID, Kind: m.Kind, Subject: m.Subject, Text: m.Text, Link: m.Link, At: m.At, ReadAt: m.ReadAt}
	}), total), nil
}

func (a *API) countMessages(ctx context.Context, _ *struct{}) (*unreadOutput, error) {
	person, err := a.person(ctx)
	if err != nil {
		return nil, err
	}
	out := &unreadOutput{}
	out.Body.Unread, err = a.Notify.Unread(ctx, person)
	return out, err
}

func (a *API) readMessage(ctx context.Context, id int64) (*struct{}, error) {
	person, err := a.person(ctx)
	if err != nil {
		return nil, err
	}
	return nil, a.Notify.Read(ctx, person, id)
}
