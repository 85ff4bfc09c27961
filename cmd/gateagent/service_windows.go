package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc"
	"golang.org/x/sys/windows/svc/mgr"
)

const (
	serviceName = "CampusgateAgent"
	// account has few rights; the data folder is opened to it.
	account = `NT AUTHORITY\LocalService`
)

// underServiceManager reports that Windows started this process as a service.
func underServiceManager() bool {
	is, err := svc.IsWindowsService()
	return err == nil && is
}

// service is the agent as Windows runs it.
type service struct {
	env  Env
	args []string
	code int
}

func runService(env Env, args []string) int {
	s := &service{env: env, args: args}
	if err := svc.Run(serviceName, s); err != nil {
		return exitFailed
	}
	return s.code
}

// Execute implements svc.Handler. An agent that ends by itself ends with a code,
// which makes Windows start it again.
func (s *service) Execute(_ []string, requests <-chan svc.ChangeRequest, status chan<- svc.Status) (bool, uint32) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ended := make(chan int, 1)
	go func() { ended <- run(ctx, s.env, s.args) }()
	status <- svc.Status{State: svc.Running, Accepts: svc.AcceptStop | svc.AcceptShutdown}
	for {
		select {
		case s.code = <-ended:
			status <- svc.Status{State: svc.StopPending}
			return true, uint32(s.code)
		case r := <-requests:
			switch r.Cmd {
			case svc.Interrogate:
				status <- r.CurrentStatus
			case svc.Stop, svc.Shutdown:
				status <- svc.Status{State: svc.StopPending}
				cancel()
			}
		}
	}
}

// installs makes the agent a service that starts with the PC and is started
// again when it ends. Twice is the same as once.
func installs(ctx context.Context, env Env, o options) (err error) {
	settings, _, err := configured(o)
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	config, err := filepath.Abs(o.config)
	if err != nil {
		return err
	}
	data, err := filepath.Abs(settings.Data)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(data, 0o700); err != nil {
		return err
	}
	// SYSTEM, administrators and the service: nobody else reads the key.
	if err := env.Run(ctx, "icacls", data, "/inheritance:r", "/grant", "*S-1-5-18:(OI)(CI)F", "/grant", "*S-1-5-32-544:(OI)(CI)F",
		"/grant", "*S-1-5-19:(OI)(CI)M"); err != nil {
		return err
	}
	m, err := mgr.Connect()
	if err != nil {
		return asAdministrator(err)
	}
	defer func() { err = errors.Join(err, m.Disconnect()) }()
	wanted := mgr.Config{
		StartType: mgr.StartAutomatic, ErrorControl: mgr.ErrorNormal, ServiceStartName: account,
		DisplayName: "Campusgate 门岗程序 agent", Description: "Campusgate: reads scanners, decides, opens the barrier",
	}
	args := []string{"-config", config, "-log", filepath.Join(data, "agent.log")}
	s, err := m.OpenService(serviceName)
	if err == nil {
		wanted.ServiceType, wanted.BinaryPathName = windows.SERVICE_WIN32_OWN_PROCESS, windows.ComposeCommandLine(append([]string{self}, args...))
		err = s.UpdateConfig(wanted)
	} else {
		s, err = m.CreateService(serviceName, self, wanted, args...)
	}
	if err != nil {
		return asAdministrator(err)
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	again := mgr.RecoveryAction{Type: mgr.ServiceRestart, Delay: 2 * time.Second}
	if err := errors.Join(s.SetRecoveryActions([]mgr.RecoveryAction{again, again, again}, 60), s.SetRecoveryActionsOnNonCrashFailures(true)); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(data, "agent.db")); err != nil {
		_, err = fmt.Fprintf(env.Stdout, "已安装；还要登记 / installed; still to be enrolled: gateagent enroll -config %q -code CODE, then: sc start %s\n", config, serviceName)
		return err
	}
	if err := s.Start(); err != nil && !errors.Is(err, windows.ERROR_SERVICE_ALREADY_RUNNING) {
		return err
	}
	_, err = fmt.Fprintf(env.Stdout, "已安装并启动 / installed and started: http://%s/\n", settings.Listen)
	return err
}

// stopTime is how long the service may take to end.
const stopTime = 20 * time.Second

// uninstalls stops and removes the service. Files stay where they were put.
func uninstalls(ctx context.Context, env Env, _ options) (err error) {
	m, err := mgr.Connect()
	if err != nil {
		return asAdministrator(err)
	}
	defer func() { err = errors.Join(err, m.Disconnect()) }()
	s, err := m.OpenService(serviceName)
	if errors.Is(err, windows.ERROR_SERVICE_DOES_NOT_EXIST) {
		_, err = fmt.Fprintln(env.Stdout, "没有安装 / not installed")
		return err
	}
	if err != nil {
		return asAdministrator(err)
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	ctx, cancel := context.WithTimeout(ctx, stopTime)
	defer cancel()
	for st, err := s.Control(svc.Stop); err == nil && st.State != svc.Stopped; st, err = s.Query() {
		if !pause(ctx, 200*time.Millisecond) {
			return fmt.Errorf("the service does not stop: %w", ctx.Err())
		}
	}
	if err := s.Delete(); err != nil {
		return err
	}
	_, err = fmt.Fprintln(env.Stdout, "已卸载；数据目录保留 / uninstalled; the data folder stays")
	return err
}

func asAdministrator(err error) error {
	if errors.Is(err, windows.ERROR_ACCESS_DENIED) {
		return fmt.Errorf("以管理员身份运行 / run as administrator: %w", err)
	}
	return err
}
