// SPDX-License-Identifier: GPL-2.0-only

// Command skleak shows which kinds of link keep what a socket sends through
// them, how much, who holds it, what lets it go, and since which kernel.
//
// It wires flags, help and exit codes to the packages that do the work. Try:
//
//	skleak run
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"skleak/harness"
	"skleak/vm"
)

// Exit statuses beside those of record.Report.ExitCode.
const (
	exitUsage = 2
	// exitSignal plus the signal's number is the status after a signal: 130 for SIGINT.
	exitSignal = 128
)

func main() {
	if vm.IsInit() {
		os.Exit(vm.Init())
	}
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case harness.SandboxCommand:
			os.Exit(harness.Child(os.Args[2:]))
		case harness.KeeperCommand:
			os.Exit(harness.Keeper(os.Args[2:]))
		case harness.AwakeCommand:
			os.Exit(harness.Awake(os.Args[2:]))
		case vm.WorkerCommand:
			os.Exit(vm.Worker(guestRunner))
		}
	}
	os.Exit(realMain(os.Args[1:]))
}

func realMain(args []string) int {
	ctx, caught, stop := catchSignals()
	defer stop()
	// A closed pipe is an error of the write that meets it, not a silent death.
	signal.Ignore(syscall.SIGPIPE)
	status := statusCode(0)
	t := terminalOf(os.Stdout, os.Stderr)
	defer t.flush()
	root := rootCommand(t, &status)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintf(t.err, "skleak: %s\n", oneLine(err))
	}
	if sig := caught(); sig != 0 {
		return exitSignal + int(sig)
	}
	if err != nil {
		return exitUsage
	}
	return int(status)
}

// statusCode is the exit status a command sets when it has no error to tell.
type statusCode int

// oneStroke is how long a second signal belongs to the first: `timeout -s INT`
// sends one to the process and one to its group, and a Ctrl-C may be pressed
// twice at once.
const oneStroke = time.Second

// catchSignals gives a context that ends with the first signal, and which
// signal it was. A second one, a moment later, ends the process at once; keepers
// clean up.
func catchSignals() (context.Context, func() syscall.Signal, func()) {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	var got atomic.Int32
	done := make(chan struct{})
	go func() {
		select {
		case s := <-signals:
			if sig, ok := s.(syscall.Signal); ok {
				got.Store(int32(sig))
			}
			cancel()
			select {
			case <-time.After(oneStroke):
				signal.Stop(signals)
			case <-done:
			}
		case <-done:
		}
	}()
	return ctx, func() syscall.Signal { return syscall.Signal(got.Load()) }, func() {
		close(done)
		signal.Stop(signals)
		cancel()
	}
}

// oneLine keeps an error of several joined ones on a line of its own.
func oneLine(err error) string {
	return strings.ReplaceAll(strings.TrimSpace(err.Error()), "\n", "; ")
}

// flush writes the beginning of a character that was not followed by its end.
func (t terminal) flush() {
	_ = t.out.Flush()
	_ = t.err.Flush()
}
