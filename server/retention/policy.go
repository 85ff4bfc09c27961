package retention

import "time"

// Policy says for how many days each class is kept; 0 = for ever.
type Policy struct {
	Events       int `yaml:"events" json:"events"`
	Registers    int `yaml:"registers" json:"registers"`
	Passes       int `yaml:"passes" json:"passes"`
	Applications int `yaml:"applications" json:"applications"`
	Messages     int `yaml:"messages" json:"messages"`
	Logins       int `yaml:"logins" json:"logins"`
	Calls        int `yaml:"calls" json:"calls"`
	Papers       int `yaml:"papers" json:"papers"`
	People       int `yaml:"people" json:"people"`
}

// Default is the policy of a configuration that says nothing.
var Default = Policy{
	Events: 30, Registers: 400, Passes: 30, Applications: 180, Messages: 180, Logins: 180, Calls: 30, Papers: 180, People: 365,
}

// MostDays bounds each class.
const MostDays = 36_500

// Days lists the classes by their keys in the configuration.
func (p Policy) Days() map[string]int {
	return map[string]int{
		"events": p.Events, "registers": p.Registers, "passes": p.Passes, "applications": p.Applications, "messages": p.Messages,
		"logins": p.Logins, "calls": p.Calls, "papers": p.Papers, "people": p.People,
	}
}

// ago is the moment that many days before now, unix ms; never = nothing is older.
func ago(now time.Time, days int) int64 {
	if days == 0 {
		return -1
	}
	return now.AddDate(0, 0, -days).UnixMilli()
}
