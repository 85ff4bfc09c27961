package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"runtime"
	"strings"
	"sync"

	"campusgate/signing/verdict"
)

const verifyAbout = `逐行验证通行码,每行输出一个 JSON 结论。
Judges a code, or with "-" (or no argument) each line of standard input, by what
it says itself: signatures, kind, site, dates, proof and zone. Nothing is
remembered: the same line twice gets the same answer.

A line in gives a JSON line out, in order and at once:
{"reason":"granted","kind":"work","id":"0123456789abcdef","name":"…"}. Kind, id and
name are empty unless every signature holds. An empty or overlong line is
malformed; a carriage return before the line end is ignored.

Exit: 0 all granted (or no line at all), 1 not all, 2 no judgement was possible.
`

func runVerify(ctx context.Context, env Env, args []string) int {
	o := newOptions(env, "verify", "-keyring FILE [-at T] [-zone N] [CODE | -]", verifyAbout)
	ringPath := o.String("keyring", "", "`FILE` 公钥环 / keyring to trust")
	at := momentFlag(o, "at", "`T` 判定时刻 / moment to judge at (default: now)")
	tz := zoneFlag(o)
	zone := o.Int("zone", 0, "`N` 区域 / zone 1 to 32 to check (default: not checked)")
	operands, code, ok := o.parse(args, 0, 1, "keyring")
	if !ok {
		return code
	}
	if o.given("zone") && (*zone < 1 || *zone > 32) {
		return o.usage("-zone: want 1 to 32")
	}
	now := o.env.Now()
	if err := at.resolve(tz, now); err != nil {
		return o.usage("-at: %w", err)
	}
	ring, err := loadRing(*ringPath)
	if err != nil {
		return o.usage("-keyring: %w", err)
	}
	var in io.Reader = o.env.Stdin
	if len(operands) == 1 && operands[0] != "-" {
		in = strings.NewReader(operands[0] + "\n")
		if strings.ContainsAny(operands[0], "\r\n") {
			// One argument is one code, whatever it holds, and this is none.
			in = strings.NewReader("\n")
		}
	}
	all, err := verifyLines(ctx, &judge{ring: ring, at: at.time, zone: *zone}, in, o.env.Stdout)
	switch {
	case err != nil:
		return max(o.fail(err), exitUsage)
	case !all:
		return exitFailed
	}
	return exitOK
}

const (
	// lineRoom bounds a line; what is longer is read to its end and malformed.
	lineRoom = 1 << 16
	// batchMax bounds the lines that are held at once.
	batchMax = 512
	// batchWorth is how many lines are worth a second goroutine.
	batchWorth = 16
)

// verifyLines answers each line. It never holds an answer back for a line that is
// still to come, so that a program can write a line and wait for its answer.
func verifyLines(ctx context.Context, j *judge, in io.Reader, out io.Writer) (all bool, err error) {
	r := bufio.NewReaderSize(in, lineRoom)
	w := bufio.NewWriter(out)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	all = true
	lines := make([]string, 0, batchMax)
	answers := make([]answer, batchMax)
	for {
		var end error
		lines, end = nextLines(r, lines[:0])
		if err := ctx.Err(); err != nil {
			return false, err
		}
		answerAll(j, lines, answers)
		for i := range lines {
			all = all && answers[i].Reason == verdict.Granted
			if err := encoder.Encode(answers[i]); err != nil {
				return false, err
			}
		}
		if err := w.Flush(); err != nil {
			return false, err
		}
		if errors.Is(end, io.EOF) {
			return all, nil
		}
		if end != nil {
			return false, end
		}
	}
}

// answerAll judges lines into the first of answers, on every processor when there
// are many.
func answerAll(j *judge, lines []string, answers []answer) {
	share := max(batchWorth, (len(lines)+runtime.GOMAXPROCS(0)-1)/runtime.GOMAXPROCS(0))
	var wait sync.WaitGroup
	for from := 0; from < len(lines); from += share {
		to := min(from+share, len(lines))
		wait.Go(func() {
			for i := from; i < to; i++ {
				answers[i] = j.answer(lines[i])
			}
		})
	}
	wait.Wait()
}

// nextLines waits for one line and takes as many more as have arrived whole.
// Lines come with an error too: those before it, and an unended last one.
func nextLines(r *bufio.Reader, lines []string) ([]string, error) {
	for {
		line, ok, err := nextLine(r)
		if ok {
			lines = append(lines, line)
		}
		if err != nil || len(lines) == cap(lines) {
			return lines, err
		}
		// Peek of what is buffered neither waits nor fails.
		arrived, _ := r.Peek(r.Buffered())
		if bytes.IndexByte(arrived, '\n') < 0 {
			return lines, nil
		}
	}
}

// nextLine reads up to a line end. A line beyond lineRoom comes out empty, which
// is as malformed. It is not ok when there was nothing before the end of input.
func nextLine(r *bufio.Reader) (line string, ok bool, err error) {
	part, err := r.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = r.ReadSlice('\n')
		}
		return "", true, err
	}
	if err != nil && len(part) == 0 {
		return "", false, err
	}
	part = bytes.TrimSuffix(part, []byte("\n"))
	return string(bytes.TrimSuffix(part, []byte("\r"))), true, err
}
