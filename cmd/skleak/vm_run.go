// SPDX-License-Identifier: GPL-2.0-only

package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"skleak/campaign"
	"skleak/record"
	"skleak/scenarios"
	"skleak/vm"
)

// vmRunFlags are the flags of `skleak vm run`.
type vmRunFlags struct {
	kernel  string
	traffic trafficFlags
	output  outputFlags
	vm      vmFlags
	with    withFlags
	save    saveFlag
	strict  bool
}

func vmRunCommand(t terminal, status *statusCode) *cobra.Command {
	var f vmRunFlags
	cmd := &cobra.Command{
		Use:   "run --kernel KERNEL [SCENARIO…|FILE…] | -- COMMAND [ARGUMENT…]",
		Short: "Run scenarios, or a command, on one kernel in a VM",
		Long: `Boot a kernel, run the scenarios in it as skleak run would, and report. What
may leave kernel memory lost runs too: the VM is thrown away. A scenario that
kills its guest is told with the kernel's own words, and the rest goes on in a
fresh one.

The exit status is that of skleak run; a kernel that does not boot gives 2.

After -- goes a command for the guest instead. It is a program of busybox (where
this machine has it: on Debian the package busybox-static), of the packages of
--with, skleak itself, or a file of this machine named by its path, which is taken
along with its libraries. It is root, has no input, and finds the modules loaded
that the catalogue needs. What it writes comes out as it does, and its exit status
is skleak's: 128 and the number after a signal, 127 where there is no such program.`,
		Example: `  skleak vm run --kernel debian:6.1 tun/unread hold/plug
  skleak vm run --kernel path:/src/linux --json -o report.json
  skleak vm run --kernel debian:6.12 --keep /tmp/guest team   # console, initramfs and QEMU command stay there
  skleak vm run --kernel debian:6.1 -- uname -r
  skleak vm run --kernel debian:6.1 --with iproute2,frr -- sh -c 'ip -br link; /usr/lib/frr/ospfd --version'`,
		ValidArgsFunction: completeScenarios,
		RunE: func(cmd *cobra.Command, args []string) error {
			argv, err := commandOf(cmd, args)
			switch {
			case err != nil:
				return err
			case argv != nil:
				return f.runCommand(cmd, t, argv, status)
			case f.with.given():
				return errors.New("--with is for a command: `skleak vm run --with PACKAGES -- COMMAND`")
			}
			return f.run(cmd, t, args, status)
		},
	}
	fs := cmd.Flags()
	fs.StringVar(&f.kernel, "kernel", "", "the kernel, like debian:6.12")
	f.traffic.register(fs)
	f.output.register(fs)
	f.vm.register(fs)
	f.with.register(fs)
	fs.StringVar(&f.vm.keep, "keep", "", "keep the last guest's console, initramfs and QEMU command in this folder")
	f.save.register(fs)
	registerStrict(fs, &f.strict)
	return cmd
}

func (f *vmRunFlags) run(cmd *cobra.Command, t terminal, args []string, status *statusCode) error {
	list, controls, err := f.prepare(cmd, args)
	if err != nil {
		return err
	}
	out, err := f.output.open(t)
	if err != nil {
		return err
	}
	defer out.discard()
	k, err := fetchKernel(cmd.Context(), t, f.kernel)
	if err != nil {
		return err
	}
	m, err := f.vm.machine(k)
	if err != nil {
		return err
	}
	if f.vm.keep == "" {
		if m.Guests, err = guestsAtOnce(0, f.vm.memory); err != nil {
			return err
		}
	}
	m.Replay = replay([]string{"vm", "run", "--kernel", string(k.Name), "--keep", "guest"}, cmd.Flags(), args)
	if err := accelerate(cmd.Context(), &m); err != nil {
		return err
	}
	save, err := out.keepFor(f.save)
	if err != nil {
		return err
	}
	live := newLive(t, f.output, len(list)+len(controls))
	o := out.watch(save.options(campaign.Options{AllowLasting: true, Observe: live.Observe, Finished: live.Finished}), list, len(args) > 0)
	run, runErr := campaign.Run(cmd.Context(), m, list, controls, o)
	live.Close()
	if runErr != nil && cmd.Context().Err() == nil {
		// The evidence has lines of its own; the error keeps to one.
		fmt.Fprintln(t.err, vm.Explain(runErr))
	}
	if runErr != nil && len(run.Results) == 0 {
		return runErr
	}
	rep := record.Report{Schema: record.ReportSchema, Runs: []record.Run{run}}
	if err := out.write(rep); err != nil {
		return err
	}
	*status = statusCode(rep.ExitCode(f.strict))
	return runErr
}

// prepare checks the flags and chooses the scenarios.
func (f *vmRunFlags) prepare(cmd *cobra.Command, args []string) (list, controls []scenarios.Scenario, err error) {
	if err := f.vm.check(); err != nil {
		return nil, nil, err
	}
	if err := f.save.check(); err != nil {
		return nil, nil, err
	}
	if f.vm.keep != "" {
		if err := os.MkdirAll(f.vm.keep, 0o755); err != nil {
			return nil, nil, fmt.Errorf("make the folder of --keep: %w", err)
		}
	}
	if list, controls, err = choose(cmd.Context(), args); err != nil {
		return nil, nil, err
	}
	list, err = f.traffic.apply(cmd.Flags(), list)
	return list, controls, err
}
