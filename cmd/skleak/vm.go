// SPDX-License-Identifier: GPL-2.0-only

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"skleak/harness"
	"skleak/harness/experiment"
	"skleak/kernels"
	"skleak/vm"
)

func vmCommand(t terminal, status *statusCode) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "vm",
		Short: "Run scenarios on another kernel, in a throwaway VM",
		Long: `Boot a kernel in QEMU with this binary as its init, and run scenarios there.
A kernel is named like debian:6.12, debian:6.12.43, debian:6.1/cloud, path:DIR
for a build tree, or file:BZIMAGE,MODULES; ` + "`skleak kernels --help`" + ` says more.`,
		Example: `  skleak vm run --kernel debian:6.1 tun/unread hold/plug
  skleak vm shell --kernel debian:7.3`,
	}
	cmd.AddCommand(vmRunCommand(t, status), vmShellCommand(t))
	return cmd
}

// vmFlags say how guests are run.
type vmFlags struct {
	accel    string
	memory   int
	jobs     int
	keep     string
	patience time.Duration
	law      bool
	ledger   ledgerFlag
	boot     time.Duration
}

// registerMachine registers what a shell has too.
func (f *vmFlags) registerMachine(fs *pflag.FlagSet) {
	fs.StringVar(&f.accel, "accel", string(vm.AccelAuto), "kvm, tcg, or auto: try KVM once, remember what came of it")
	fs.IntVar(&f.memory, "memory", vm.DefaultMemory, "a guest's memory in MB")
	fs.DurationVar(&f.boot, "boot-deadline", vm.DefaultDeadlines().Boot, "how long a kernel may take to its first sign of life")
}

func (f *vmFlags) register(fs *pflag.FlagSet) {
	f.registerMachine(fs)
	fs.IntVar(&f.jobs, "jobs", 0, "sandboxes that may send at once in a guest (default 1); with more, skbs that are lost without a charge cannot be counted")
	fs.DurationVar(&f.patience, "patience", experiment.DefaultPatience, "how long to wait for a held charge to go by itself")
	f.ledger.register(fs)
	fs.BoolVar(&f.law, "verify-law", false, "try a predicted stall rate out: a paced run just under and just over it")
}

// defaultVMFlags are the flags of who runs no VM.
func defaultVMFlags() vmFlags {
	return vmFlags{accel: string(vm.AccelAuto), memory: vm.DefaultMemory, boot: vm.DefaultDeadlines().Boot}
}

func (f *vmFlags) check() error {
	if f.memory < 128 || f.memory > 1<<20 {
		return fmt.Errorf("--memory %d: want 128 to 1048576 MB", f.memory)
	}
	if f.jobs < 0 || f.jobs > 64 {
		return fmt.Errorf("--jobs %d: want 1 to 64", f.jobs)
	}
	if f.patience < 0 || f.patience > time.Hour {
		return fmt.Errorf("--patience %s: want 0s to 1h", f.patience)
	}
	if f.boot < time.Second || f.boot > time.Hour {
		return fmt.Errorf("--boot-deadline %s: want 1s to 1h", f.boot)
	}
	_, err := vm.ParseAccel(f.accel)
	return err
}

// machine is the VM of a kernel. Its acceleration is chosen by accelerate.
func (f *vmFlags) machine(k *kernels.Kernel) (vm.VM, error) {
	config, sum, err := configOf(k)
	if err != nil {
		return vm.VM{}, err
	}
	o := guestOptions{Harness: experiment.DefaultOptions(), Jobs: max(f.jobs, 1)}
	o.Harness.Patience, o.Harness.VerifyLaw = f.patience, f.law
	o.Harness.Ledger = f.ledger.mode
	options, err := json.Marshal(o)
	if err != nil {
		return vm.VM{}, fmt.Errorf("encode the options of the guest's runner: %w", err)
	}
	d := vm.DefaultDeadlines()
	d.Boot = f.boot
	m := vm.VM{
		Kernel: k, ConfigSum: sum, Config: config, Self: harness.DefaultSelf, Options: options,
		Accel: vm.Accel(f.accel), Memory: f.memory, Deadlines: d, Keep: f.keep,
	}
	return m, nil
}

// accelerate finds out what auto means for machines like m.
func accelerate(ctx context.Context, m *vm.VM) error {
	if m.Accel != vm.AccelAuto {
		return nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return fmt.Errorf("where to remember the acceleration: %w; choose one with --accel", err)
	}
	m.Accel, err = vm.ChooseAccel(ctx, *m, filepath.Join(cache, "skleak"))
	return err
}
