package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
)

// options are the flags of one command, and its way to answer.
type options struct {
	*flag.FlagSet
	env      Env
	synopsis string // what follows the command's name
	about    string // what the command does, Chinese first
}

func newOptions(env Env, name, synopsis, about string) *options {
	o := &options{FlagSet: flag.NewFlagSet(name, flag.ContinueOnError), env: env, synopsis: synopsis, about: about}
	o.SetOutput(io.Discard)
	return o
}

// parse reads flags, which may stand before, between and after the operands, and
// demands between least and most operands and a value for each required flag.
// When it is not ok the command ends with the code given: help was asked for, or
// something was wrong and has been said.
func (o *options) parse(args []string, least, most int, required ...string) (operands []string, code int, ok bool) {
	for {
		err := o.Parse(args)
		if errors.Is(err, flag.ErrHelp) {
			return nil, say(o.env.Stdout, o.help(), exitOK), false
		}
		if err != nil {
			return nil, o.usage("%w", err), false
		}
		rest := o.Args()
		if len(rest) == 0 {
			break
		}
		if before := len(args) - len(rest) - 1; before >= 0 && args[before] == "--" {
			operands = append(operands, rest...)
			break
		}
		operands = append(operands, rest[0])
		args = rest[1:]
	}
	for _, name := range required {
		if !o.given(name) || o.Lookup(name).Value.String() == "" {
			return nil, o.usage("-%s 必须给出 / is required", name), false
		}
	}
	if len(operands) > most {
		return nil, o.usage("多余的参数 / one argument too many: %q", operands[most]), false
	}
	if len(operands) < least {
		return nil, o.usage("缺少参数 / an argument is missing"), false
	}
	return operands, exitOK, true
}

// given reports whether a flag stood among the arguments.
func (o *options) given(name string) bool {
	found := false
	o.Visit(func(f *flag.Flag) { found = found || f.Name == name })
	return found
}

// choice is a flag that takes one of a few words.
type choice struct {
	word  string
	words []string
}

var _ flag.Value = (*choice)(nil)

func (o *options) choice(name, word, usage string, words ...string) *choice {
	c := &choice{word, words}
	o.Var(c, name, usage)
	return c
}

func (c *choice) String() string { return c.word }

func (c *choice) Set(s string) error {
	if !slices.Contains(c.words, s) {
		return fmt.Errorf("want %s", strings.Join(c.words, ", "))
	}
	c.word = s
	return nil
}

func (o *options) help() string {
	var b strings.Builder
	fmt.Fprintf(&b, "用法 / usage: gatectl %s %s\n\n%s\n", o.Name(), o.synopsis, o.about)
	o.VisitAll(func(f *flag.Flag) {
		// Every usage begins with its value's name in backquotes.
		value, usage := flag.UnquoteUsage(f)
		fmt.Fprintf(&b, "\n  -%s %s\n\t%s", f.Name, value, strings.TrimPrefix(usage, value+" "))
	})
	b.WriteByte('\n')
	return b.String()
}

// usage says that the command was asked wrongly.
func (o *options) usage(format string, args ...any) int {
	text := fmt.Errorf(format, args...).Error()
	return say(o.env.Stderr, fmt.Sprintf("gatectl %s: %s\n用法 / usage: gatectl help %s\n", o.Name(), text, o.Name()), exitUsage)
}

// fail says why the command could not do what was asked.
func (o *options) fail(err error) int {
	return say(o.env.Stderr, fmt.Sprintf("gatectl %s: %v\n", o.Name(), err), exitFailed)
}

// warn says something that does not stop the command.
func (o *options) warn(format string, args ...any) {
	// Nobody to tell is no reason to stop either.
	_ = say(o.env.Stderr, fmt.Sprintf("gatectl %s: 注意 / note: "+format+"\n", append([]any{o.Name()}, args...)...), exitOK)
}

// print writes the command's result.
func (o *options) print(text string) int {
	if _, err := io.WriteString(o.env.Stdout, text); err != nil {
		return o.fail(err)
	}
	return exitOK
}
