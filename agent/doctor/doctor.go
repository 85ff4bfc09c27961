// Package doctor is what a check of a gate PC consists of: findings with advice,
// how they are shown, and the checks of the computer itself. Package agent adds
// those of the agent's own parts.
package doctor

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"campusgate/devices/find"
)

// Check is one thing that was looked at.
type Check struct {
	// Name says in both languages what it is: "时钟 clock".
	Name string `json:"name"`
	OK   bool   `json:"ok"`
	// Detail is what was found, for a person.
	Detail string `json:"detail"`
	// Advice says in both languages what to change; empty where nothing is.
	Advice string `json:"advice,omitempty"`
}

// Of makes a check of an error: detail is what to say when there is none, advice
// what to do when there is.
func Of(name string, err error, detail, advice string) Check {
	if err != nil {
		return Check{Name: name, Detail: err.Error(), Advice: advice}
	}
	return Check{Name: name, OK: true, Detail: detail}
}

// Report is everything that was found.
type Report struct {
	Checks []Check `json:"checks"`
	// Ports is what is plugged in.
	Ports []find.Port `json:"ports"`
	// Paste is YAML for the agent's file, for devices that it does not name yet;
	// empty = nothing to add.
	Paste string `json:"paste,omitempty"`
}

// OK reports that no check failed.
func (r *Report) OK() bool {
	return !slices.ContainsFunc(r.Checks, func(c Check) bool { return !c.OK })
}

// Write shows the report to a person.
func (r *Report) Write(w io.Writer) error {
	var b strings.Builder
	for _, c := range r.Checks {
		b.WriteString(c.String())
	}
	for _, p := range r.Ports {
		fmt.Fprintf(&b, "· %s%s\n", pad("设备 device", column), p)
		if p.Path != p.Node {
			fmt.Fprintf(&b, "  %s%s\n", pad("", column), p.Path)
		}
	}
	if r.Paste != "" {
		b.WriteString("\n可粘贴到配置文件 / to paste into the configuration:\n\n" + r.Paste)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// String is the check as a line, and its advice as a second.
func (c Check) String() string {
	mark := "✓"
	if !c.OK {
		mark = "✕"
	}
	s := fmt.Sprintf("%s %s%s\n", mark, pad(c.Name, column), c.Detail)
	if !c.OK && c.Advice != "" {
		s += "  → " + c.Advice + "\n"
	}
	return s
}

// column is where the findings begin.
const column = 30

// pad fills a text up to a width, with one space at least.
func pad(s string, to int) string { return s + strings.Repeat(" ", max(1, to-width(s))) }

// width is how many places a text takes in a terminal, where a Chinese
// character takes two.
func width(s string) (n int) {
	for _, r := range s {
		n++
		if r >= '\u2e80' {
			n++
		}
	}
	return n
}
