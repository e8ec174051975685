// SPDX-License-Identifier: GPL-2.0-only

package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"skleak/harness/experiment"
	"skleak/kernels"
	"skleak/record"
	"skleak/scenarios"
	"skleak/vm"
)

//go:embed reboot.c
var bareSource string

const (
	bootKernel   = "debian:6.1"
	bootScenario = "tun/unread"
)

// Boots sets a guest's start beside a bare boot: the same QEMU, kernel and
// command line with an init that does nothing but end the machine. All are
// seconds from the start of QEMU, that of a guest with the writing of its
// initramfs.
type Boots struct {
	Kernel string `json:"kernel"`
	Bare   Spread `json:"bare_s"`
	// Plain is a bare boot with plainCmdline, ResultPlain the first result to it.
	Plain       Spread `json:"plain_s"`
	ResultPlain Spread `json:"result_to_plain_ratio"`
	// Hello is the guest's first word, Result the end of one scenario that is run
	// alone; their ratios are to the bare boot before, pair by pair.
	Hello       Spread `json:"hello_s"`
	HelloRatio  Spread `json:"hello_ratio"`
	Result      Spread `json:"result_s"`
	ResultRatio Spread `json:"result_ratio"`
	// Peer is virtme-ng's run of one command, from its start to its end; it has no
	// values where PeerMissing says why.
	Peer        Spread `json:"virtme_ng_s"`
	PeerMissing string `json:"virtme_ng_missing,omitempty"`
}

// boots measures by turns. Where there is no QEMU or no kernel it says what is
// missing and measures nothing.
func boots(ctx context.Context, dir string, pairs int) (*Boots, string, error) {
	v, missing, err := bootMachine(ctx, dir)
	if err != nil || missing != "" {
		return nil, missing, err
	}
	b := &Boots{Kernel: string(v.Kernel.Name)}
	// This one warms up, and leaves the QEMU command.
	warm := v
	warm.Keep = dir
	if _, _, err := guestStart(ctx, warm); err != nil {
		return nil, "", err
	}
	if err := writeBare(ctx, dir); err != nil {
		return nil, "", err
	}
	var bare, plain, hello, helloRatio, result, resultRatio, resultPlain []float64
	for range pairs {
		alone, err := bareBoot(ctx, dir, "")
		if err != nil {
			return nil, "", err
		}
		usual, err := bareBoot(ctx, dir, plainCmdline)
		if err != nil {
			return nil, "", err
		}
		first, done, err := guestStart(ctx, v)
		if err != nil {
			return nil, "", err
		}
		bare, hello, result = append(bare, alone), append(hello, first), append(result, done)
		helloRatio, resultRatio = append(helloRatio, first/alone), append(resultRatio, done/alone)
		plain, resultPlain = append(plain, usual), append(resultPlain, done/usual)
	}
	b.Bare, b.Hello, b.Result = spread(bare), spread(hello), spread(result)
	b.HelloRatio, b.ResultRatio = spread(helloRatio), spread(resultRatio)
	b.Plain, b.ResultPlain = spread(plain), spread(resultPlain)
	peer, missing, err := virtme(ctx, v.Kernel, v.Accel == vm.AccelKVM, dir)
	if err != nil {
		return nil, "", err
	}
	if b.PeerMissing = missing; missing == "" {
		b.Peer = spread(peer)
	}
	return b, "", nil
}

// bootMachine is a VM as `skleak vm run` makes it.
func bootMachine(ctx context.Context, dir string) (v vm.VM, missing string, err error) {
	if _, err := exec.LookPath(vm.Program); err != nil {
		return v, "no QEMU: apt-get install qemu-system-x86", nil //nolint:nilerr // a reader's affair, and told
	}
	k, err := storedKernel(ctx)
	if errors.Is(err, kernels.ErrNotStored) {
		return v, "no kernel: skleak kernels fetch " + bootKernel, nil
	}
	if err != nil {
		return v, "", err
	}
	self := filepath.Join(dir, "skleak")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", self, "skleak/cmd/skleak")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if said, err := build.CombinedOutput(); err != nil {
		return v, "", fmt.Errorf("build skleak for the guest: %w\n%s", err, said)
	}
	o := struct {
		Harness experiment.Options `json:"harness"`
	}{experiment.DefaultOptions()}
	options, err := json.Marshal(o)
	if err != nil {
		return v, "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return v, "", fmt.Errorf("where to remember the acceleration: %w", err)
	}
	v = vm.VM{Kernel: k, Self: self, Options: options, Deadlines: vm.DefaultDeadlines()}
	v.Accel, err = vm.ChooseAccel(ctx, v, filepath.Join(cache, "skleak"))
	return v, "", err
}

// storedKernel gives the newest of the series in the store: the network is
// shut here.
func storedKernel(ctx context.Context) (*kernels.Kernel, error) {
	store, err := kernels.Open("", kernels.Limits{})
	if err != nil {
		return nil, err
	}
	spec, err := kernels.Parse(bootKernel)
	if err != nil {
		return nil, err
	}
	names, err := store.Resolve(ctx, spec)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", kernels.ErrNotStored, err)
	}
	return store.Show(names[0])
}

// guestStart is the time to a guest's first word and to its first result.
func guestStart(ctx context.Context, v vm.VM) (hello, result float64, err error) {
	all, err := scenarios.Catalogue()
	if err != nil {
		return 0, 0, err
	}
	list := slices.DeleteFunc(all, func(s scenarios.Scenario) bool { return s.Name != bootScenario })
	began := time.Now()
	for e, err := range v.Run(ctx, list) {
		if err != nil {
			return 0, 0, fmt.Errorf("run %s in a guest: %s", bootScenario, vm.Explain(err))
		}
		if hello == 0 {
			hello = time.Since(began).Seconds()
		}
		if e.Ends() {
			if e.Kind != record.EventTrace {
				return 0, 0, fmt.Errorf("run %s in a guest: %s: %s", bootScenario, e.Kind, e.Text)
			}
			return hello, time.Since(began).Seconds(), nil
		}
	}
	return 0, 0, fmt.Errorf("run %s in a guest: it ended without a word on it", bootScenario)
}
