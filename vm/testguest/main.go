// SPDX-License-Identifier: GPL-2.0-only

// Command testguest is a guest's /init for the tests of package vm: its
// scenarios do what their names say to the guest.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"skleak/record"
	"skleak/scenarios"
	"skleak/vm"
)

func main() {
	if vm.IsInit() {
		os.Exit(vm.Init())
	}
	if len(os.Args) > 1 && os.Args[1] == vm.WorkerCommand {
		os.Exit(vm.Worker(func(json.RawMessage) (vm.Runner, error) { return runner{}, nil }))
	}
	fmt.Fprintln(os.Stderr, "testguest is the init of a test's guest")
	os.Exit(2)
}

type runner struct{}

// Run implements vm.Runner: all scenarios begin, then each is done in turn.
func (runner) Run(_ context.Context, list []scenarios.Scenario) iter.Seq2[record.Event, error] {
	return func(yield func(record.Event, error) bool) {
		kernel := record.Kernel{Release: release(), Arch: "x86_64", Source: "host"}
		if !yield(record.Event{Kind: record.EventHello, Kernel: &kernel}, nil) {
			return
		}
		for _, sc := range list {
			if !yield(record.Event{Kind: record.EventBegin, Scenario: sc.Name}, nil) {
				return
			}
			_, what, _ := strings.Cut(sc.Name, "/")
			text, err := do(what)
			if err != nil {
				text = err.Error()
			}
			if !yield(record.Event{Kind: record.EventSkip, Scenario: sc.Name, Text: text}, nil) {
				return
			}
		}
	}
}

// do does to the guest what the scenario's name says.
func do(what string) (string, error) {
	switch what {
	case "panic":
		return "", os.WriteFile("/proc/sysrq-trigger", []byte("c"), 0)
	case "hang":
		return "", syscall.Kill(os.Getpid(), syscall.SIGSTOP)
	case "wait":
		time.Sleep(time.Minute)
	case "die":
		return "", syscall.Kill(os.Getpid(), syscall.SIGKILL)
	case "flood":
		return "flooded", flood()
	case "garble":
		return "garbled", garble()
	case "modules":
		data, err := os.ReadFile("/proc/modules")
		return string(data), err
	}
	return "did " + what, nil
}

// flood fills the console with more than the host keeps.
func flood() error {
	f, err := os.OpenFile("/dev/console", os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	for i := range 4000 {
		if _, err := fmt.Fprintf(f, "line %d of a console that never ends ........................\n", i); err != nil {
			return err
		}
	}
	return f.Close()
}

// garble writes on the channel to the host, which only this process may.
func garble() error {
	files, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		return err
	}
	for _, file := range files {
		to, err := os.Readlink(file)
		if err != nil || !strings.HasPrefix(to, "/dev/vport") {
			continue
		}
		fd, err := strconv.Atoi(filepath.Base(file))
		if err != nil {
			return err
		}
		_, err = syscall.Write(fd, []byte("[    3.000000] a line of somebody else's\n"))
		return err
	}
	return errors.New("no channel to garble")
}

func release() string {
	data, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(string(data))
}
