package auth

import "campusgate/server/people"

// duties says what a post permits beside Self. Posts that flows name permit
// nothing here: the flows ask for them themselves.
var duties = map[string]Scopes{
	people.Guard:      {Guard},
	people.Desk:       {Desk, PeopleRead, PassesRead},
	people.Reader:     {Stats},
	people.Auditor:    {AuditRead, EventsRead, PassesRead, PeopleRead, GatesRead, AgentsRead},
	people.CardOffice: {Cards, PeopleRead},
	people.Merchant:   {Canteen},
	people.Finance:    {Finance},
	people.Admin:      {Admin},
}

// ScopesOf is what a person may do who holds these posts.
func ScopesOf(posts []people.Post) Scopes {
	has := map[Scope]bool{}
	for _, p := range posts {
		for _, s := range duties[p.Role] {
			has[s] = true
		}
	}
	set := Scopes{Self}
	for _, s := range AllScopes() {
		if has[s] {
			set = append(set, s)
		}
	}
	return set
}
