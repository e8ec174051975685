// SPDX-License-Identifier: GPL-2.0-only

package harness

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"skleak/harness/experiment"
	"skleak/internal/capture"
	"skleak/record"
)

// The words after the program's name that make it a sandbox child or a keeper.
const (
	SandboxCommand = "sandbox-child"
	KeeperCommand  = "sandbox-keeper"
)

// File descriptors a child finds open.
const (
	eventsFD   = 3
	lifelineFD = 4
)

// tearDownTime is how long a child may take to delete its links once told.
const tearDownTime = 8 * time.Second

// sandbox is the parent's side of one child.
type sandbox struct {
	cmd      *exec.Cmd
	lifeline *os.File
	events   *os.File
	decoder  *record.Decoder
	stderr   capture.Head
	entry    *entry
}

// startSandbox starts a child in namespaces of its own and, as root, enters
// its network namespace in the registry before the child builds anything. With
// lasts the child serves one scenario after another and nothing is entered.
func startSandbox(reg Registry, self string, lasts bool) (*sandbox, error) {
	out, err := currentNamespace()
	if err != nil {
		return nil, err
	}
	eventsR, eventsW, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("make the sandbox's event pipe: %w", err)
	}
	lifeR, lifeW, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make the sandbox's lifeline: %w", err), eventsR.Close(), eventsW.Close())
	}
	s := &sandbox{lifeline: lifeW, events: eventsR, decoder: record.NewDecoder(eventsR)}
	s.cmd = exec.Command(self, append([]string{SandboxCommand}, childArgs(out, lasts)...)...)
	s.cmd.ExtraFiles = []*os.File{eventsW, lifeR}
	s.stderr.Limit = 16 << 10
	s.cmd.Stderr = &s.stderr
	s.cmd.SysProcAttr = namespaceAttr(os.Geteuid())
	s.cmd.WaitDelay = time.Second
	err = s.cmd.Start()
	err = errors.Join(explainStart(err), eventsW.Close(), lifeR.Close())
	if err != nil {
		return nil, errors.Join(err, lifeW.Close(), eventsR.Close())
	}
	if lasts {
		return s, nil
	}
	if s.entry, err = reg.add(s.cmd.Process.Pid); err != nil {
		s.kill()
		_, closeErr := s.finish()
		return nil, errors.Join(err, closeErr)
	}
	return s, nil
}

// namespaceAttr are the namespaces of a child. An ordinary user needs a user
// namespace around them.
func namespaceAttr(euid int) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS,
		// A terminal's Ctrl-C is for the parent; the child reads the lifeline.
		Setpgid: true,
	}
	if euid != 0 {
		attr.Cloneflags |= syscall.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: euid, Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
	}
	return attr
}

// send gives the child its scenario.
func (s *sandbox) send(req experiment.Request) error {
	line, err := json.Marshal(req)
	if err != nil {
		return fmt.Errorf("encode the request for %s: %w", req.Scenario.Name, err)
	}
	if _, err := s.lifeline.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("give scenario %s to its sandbox: %w", req.Scenario.Name, err)
	}
	return nil
}

// run sends the scenario and hands on the child's events until the child has
// finished. Cancelling ctx, or the deadline, cuts the lifeline; a child that
// does not go then is killed, and its keeper cleans up.
func (s *sandbox) run(ctx context.Context, req experiment.Request, yield func(record.Event) bool) error {
	stop := context.AfterFunc(ctx, s.tearDown)
	defer stop()
	if err := s.send(req); err != nil {
		return err
	}
	for ended := false; ; {
		e, err := s.decoder.Next()
		switch {
		case errors.Is(err, io.EOF):
			return errIncomplete
		case err != nil:
			return fmt.Errorf("listen to the sandbox of %s: %w", req.Scenario.Name, err)
		case e.Kind == record.EventBye && !ended:
			return errIncomplete
		case e.Kind == record.EventBye:
			return nil
		case e.Kind == record.EventHello:
			continue
		}
		ended = ended || e.Ends()
		if !yield(e) {
			return nil
		}
	}
}

// errIncomplete is a stream that broke off.
var errIncomplete = errors.New("its events broke off")

// tearDown cuts the lifeline and makes sure of the end.
func (s *sandbox) tearDown() {
	_ = s.lifeline.Close()
	// NB: the pipe is held by the child and its keeper; its end is the end of both.
	_ = s.events.SetReadDeadline(time.Now().Add(tearDownTime + 2*time.Second))
	time.AfterFunc(tearDownTime, s.kill)
}

func (s *sandbox) kill() {
	// A process that has been waited for gives os.ErrProcessDone: the pid is
	// never another's.
	_ = s.cmd.Process.Kill()
}

// errUnkillable says that a child hangs in the kernel. It has a lock there that
// the next sandbox would wait for too, so nothing more is run.
var errUnkillable = errors.New("the sandbox child hangs in the kernel and cannot be killed; this kernel needs a reboot")

// unkillableTime is how long a killed child may take to be gone.
const unkillableTime = 10 * time.Second

// finish waits for the child and frees what the registry knows of it. How
// tells of an end that was not exit status 0. A child that cannot be killed is
// left, with its entry in the registry, and is errUnkillable.
func (s *sandbox) finish() (how string, err error) {
	_ = s.lifeline.Close()
	_ = s.events.SetReadDeadline(time.Now().Add(tearDownTime))
	timer := time.AfterFunc(tearDownTime, s.kill)
	defer timer.Stop()
	_, _ = io.Copy(io.Discard, s.events)
	waited := make(chan error, 1)
	go func() { waited <- s.cmd.Wait() }()
	var waitErr error
	select {
	case waitErr = <-waited:
	case <-time.After(tearDownTime + unkillableTime):
		return "", errors.Join(errUnkillable, s.events.Close())
	}
	if waitErr != nil {
		how = waitErr.Error()
		if text := strings.TrimSpace(s.stderr.String()); text != "" {
			how += ": " + text
		}
	}
	err = s.events.Close()
	if s.entry != nil {
		err = errors.Join(err, s.entry.release())
	}
	return how, err
}
