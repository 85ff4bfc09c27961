package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"campusgate/agent"
	"campusgate/cmd/internal/install"
)

// maxSaid is how much of the end of a log file is looked at.
const maxSaid = 1 << 20

// bundle writes the support bundle: from the agent that runs, or from what it
// left.
func bundle(ctx context.Context, env Env, o options) error {
	settings, file, err := configured(o)
	if err != nil {
		return err
	}
	var zip bytes.Buffer
	err = agent.Support(ctx, settings, agent.Surroundings{Now: env.Now, Root: env.Root}, file, said(ctx, o.log), &zip)
	if errors.Is(err, agent.ErrInUse) {
		zip.Reset()
		if asked := ask(ctx, settings, "GET", "/api/v1/support", nil, &zip); asked != nil {
			return errors.Join(err, asked)
		}
		err = nil
	}
	if err != nil {
		return err
	}
	if err := os.WriteFile(o.out, zip.Bytes(), 0o600); err != nil {
		return err
	}
	_, err = fmt.Fprintf(env.Stdout, "诊断包 / support bundle: %s\n", o.out)
	return err
}

// said is the end of the log: of the file that is named, or of the system's
// journal where it has one.
func said(ctx context.Context, path string) []byte {
	if path == "" {
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		out, err := exec.CommandContext(ctx, "journalctl", "-u", install.Unit, "-n", "2000", "--no-pager", "-o", "cat").Output()
		if err != nil {
			return nil // there is no journal here, or this user may not read it
		}
		return out
	}
	f, err := os.Open(path)
	if err != nil {
		return []byte(err.Error() + "\n")
	}
	defer func() { _ = f.Close() }()
	if info, err := f.Stat(); err == nil && info.Size() > maxSaid {
		if _, err := f.Seek(-maxSaid, io.SeekEnd); err != nil {
			return []byte(err.Error() + "\n")
		}
	}
	data, err := io.ReadAll(f)
	if err != nil {
		data = append(data, err.Error()+"\n"...)
	}
	return data
}
