// SPDX-License-Identifier: GPL-2.0-only

// Command bench sets skleak's sender beside a C loop around sendmmsg: the same
// packet, the same veth, the same kind of socket, in turns (A B A B …) so that
// whatever else the machine does meets both alike. It also says how late paced
// packets are, what a ledger costs (sending with and without, in turns), and what
// a guest's start costs beside a boot that does nothing.
//
// It needs gcc, and root or a system that allows user namespaces; a ledger needs
// root, a guest QEMU and a kernel of the store. It works in a network namespace of
// its own.
//
//	go run ./bench --json
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := run(ctx)
	stop()
	os.Exit(code)
}

func run(ctx context.Context) int {
	if os.Getenv(insideEnv) == "" {
		return reexec(ctx)
	}
	err := bench(ctx, os.Args[1:], os.Stdout)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 2
	case err != nil:
		fmt.Fprintln(os.Stderr, "bench:", err)
		return 1
	}
	return 0
}

// settings are the flags.
type settings struct {
	pairs, packets, late int
	json                 bool
}

func parse(args []string) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.IntVar(&s.pairs, "pairs", 9, "runs of each sender, 7 or more")
	flags.IntVar(&s.packets, "packets", 300_000, "packets in a run")
	flags.IntVar(&s.late, "late", 10_000, "packets in a paced run, cut to two seconds' worth")
	flags.BoolVar(&s.json, "json", false, "print JSON")
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	switch {
	case flags.NArg() > 0:
		return s, fmt.Errorf("takes no argument, got %q", flags.Arg(0))
	case s.pairs < 7 || s.pairs > 1000:
		return s, fmt.Errorf("%d pairs: give 7 to 1000", s.pairs)
	case s.packets < 1 || s.packets > 100_000_000:
		return s, fmt.Errorf("%d packets: give 1 to 100000000", s.packets)
	case s.late < 100 || s.late > 1_000_000:
		return s, fmt.Errorf("%d paced packets: give 100 to 1000000", s.late)
	}
	return s, nil
}

func bench(ctx context.Context, args []string, out io.Writer) (err error) {
	set, err := parse(args)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "skleak-bench-")
	if err != nil {
		return fmt.Errorf("make a folder for the C program: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	peer, err := compile(ctx, dir, "sendmmsg", peerSource)
	if err != nil {
		return err
	}
	track, err := newTrack(ctx, peer)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, track.close()) }()
	res, err := track.measure(ctx, set)
	if err != nil {
		return err
	}
	if res.Boots, res.BootsMissing, err = boots(ctx, dir, set.pairs); err != nil {
		return err
	}
	if set.json {
		enc := json.NewEncoder(out)
		enc.SetIndent("", "  ")
		return enc.Encode(res)
	}
	return res.print(out)
}

// compile builds a C program.
func compile(ctx context.Context, dir, name, source string, options ...string) (string, error) {
	gcc, err := exec.LookPath("gcc")
	if err != nil {
		return "", errors.New("no gcc to compile the C programs with: apt-get install gcc")
	}
	file, binary := filepath.Join(dir, name+".c"), filepath.Join(dir, name)
	if err := os.WriteFile(file, []byte(source), 0o600); err != nil {
		return "", fmt.Errorf("write the C program %s: %w", name, err)
	}
	argv := append([]string{"-O2", "-Wall", "-o", binary, file}, options...)
	if said, err := exec.CommandContext(ctx, gcc, argv...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("compile the C program %s: %w\n%s", name, err, said)
	}
	return binary, nil
}
